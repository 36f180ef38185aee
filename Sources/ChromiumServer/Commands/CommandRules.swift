import JSON

/// What a client may not tell the browser that it was lent: to go around the proxy that keeps it
/// away from private networks, and to open what is no page of the web.
///
/// Commands of the Chrome DevTools Protocol are JSON objects with `id`, `method`, `params` and
/// `sessionId` (https://chromedevtools.github.io/devtools-protocol/).
package struct CommandRules: Sendable {
  /// Whether networks of any kind may be reached, so that another proxy is no way around anything.
  package var allowsAnyNetwork: Bool

  /// Commands within commands, beyond which nothing is looked at any more.
  private static let maximumDepth = 4

  package init(allowsAnyNetwork: Bool) { self.allowsAnyNetwork = allowsAnyNetwork }

  /// Why a command must not go to the browser; nil: it may.
  ///
  /// - Parameter message: all of a message, at most as long as ``JSONDocument/Limits`` allow.
  package func refusal(of message: [UInt8]) -> CommandRefusal? {
    refusal(of: message, depth: 0)
  }

  private func refusal(of message: [UInt8], depth: Int) -> CommandRefusal? {
    let command: JSONNode
    var refusal = CommandRefusal(code: -32700, reason: "Message must be a valid JSON object")
    do throws(JSONError) {
      command = try JSONDocument(parsing: message).root
      guard command.isObject else { return refusal }
      // A reader that takes the other one of two would read another command than this one.
      refusal.id = try command.field("id")?.integer
      refusal.session = try command.field("sessionId")?.string
      guard let method = try command.field("method")?.string else {
        // The browser has the words for that.
        return try command.field("method") == nil ? nil : refusal
      }
      guard let reason = try reason(against: method, command.field("params"), depth) else {
        return nil
      }
      (refusal.code, refusal.reason) = (-32000, reason)
      return refusal
    } catch {
      refusal.reason = "Message must be a valid JSON object: \(error)"
      return refusal
    }
  }

  private func reason(
    against method: String, _ parameters: JSONNode?, _ depth: Int
  ) throws(JSONError) -> String? {
    switch method {
    case "Target.createBrowserContext":
      let (proxy, bypass) = (
        try parameters?.field("proxyServer"), try parameters?.field("proxyBypassList")
      )
      let setsProxy = proxy != nil || bypass != nil
      return setsProxy && !allowsAnyNetwork
        ? "\(method): this server does not let a context have a proxy of its own" : nil
    case "Target.setRemoteLocations", "Target.exposeDevToolsProtocol":
      // Commands of pages would be seen by nobody on their way.
      return "\(method): not on this server"
    case "Page.navigate", "Target.createTarget", "Fetch.continueRequest",
      "Network.continueInterceptedRequest", "Network.loadNetworkResource":
      guard let url = try parameters?.field("url")?.string else { return nil }
      let scheme = CommandURL.schemeThatIsRefused(of: url)
      return scheme.map { "\(method): this server opens no \($0): addresses" }
    case "Target.sendMessageToTarget":
      guard let inner = try parameters?.field("message")?.string else { return nil }
      guard depth < Self.maximumDepth else { return "\(method): nested too deeply" }
      return refusal(of: Array(inner.utf8), depth: depth + 1)?.reason
    default: return nil
    }
  }
}

/// The answer to a command that does not go to the browser.
package struct CommandRefusal: Hashable, Sendable {
  package var id: Int?
  package var session: String?
  /// As JSON-RPC numbers errors.
  package var code: Int
  package var reason: String

  /// The message for the client.
  package var reply: String {
    var writer = JSONWriter()
    writer.object { writer in
      if let id { writer.field("id", id) }
      writer.object("error") { writer in
        writer.field("code", code)
        writer.field("message", reason)
      }
      if let session { writer.field("sessionId", session) }
    }
    return writer.string
  }
}
