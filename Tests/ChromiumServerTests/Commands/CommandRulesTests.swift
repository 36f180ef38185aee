import JSON
import Testing

@testable import ChromiumServer

@Suite struct CommandRulesTests {
  private func reason(
    _ message: String, _ rules: CommandRules = CommandRules(allowsAnyNetwork: false)
  ) -> String? { rules.refusal(of: Array(message.utf8))?.reason }

  private func command(_ method: String, _ parameters: String = "{}") -> String {
    #"{"id":7,"method":"\#(method)","params":\#(parameters),"sessionId":"S"}"#
  }

  @Test(arguments: [
    ("Page.enable", "{}"), ("Runtime.evaluate", #"{"expression":"location = 'file:///etc'"}"#),
    ("Target.createBrowserContext", #"{"disposeOnDetach":true}"#),
    ("Page.navigate", #"{"url":"https://example.org/?file:///"}"#),
    ("Page.navigate", #"{"url":"about:blank"}"#), ("Page.navigate", #"{"url":"about:blank#a"}"#),
    ("Page.navigate", #"{"url":"data:text/html,a"}"#), ("Page.navigate", #"{"url":"/a/b"}"#),
    ("Page.navigate", #"{"url":"view-source:http://example.org"}"#), ("Page.navigate", "{}"),
    ("Target.createTarget", #"{"url":""}"#),
    ("Target.sendMessageToTarget", #"{"message":"{\"id\":1,\"method\":\"Page.enable\"}"}"#),
  ])
  func whatPagesNeedPasses(_ method: String, _ parameters: String) {
    #expect(reason(command(method, parameters)) == nil)
  }

  @Test(arguments: [
    "file:///etc/passwd", "FILE:///etc/passwd", " \\u0001file:///", "f\\nil\\te:///etc/passwd",
    "view-source:file:///etc", "view-source:view-source:file:///", "chrome://version",
    "chrome-untrusted://x", "devtools://devtools/bundled/inspector.html", "about:version",
    "about:gpu?blank", "about:", "filesystem:file:///temporary", "chrome-extension://a/b",
    "fi\\u006ce:///etc", "ftp://example.org", "externalfile:a",
  ])
  func whatIsNoPageOfTheWebIsRefused(_ url: String) {
    for method in ["Page.navigate", "Target.createTarget", "Fetch.continueRequest"] {
      let reason = reason(command(method, #"{"url":"\#(url)"}"#))
      #expect(reason?.hasPrefix("\(method): this server opens no ") == true)
    }
  }

  @Test func aProxyOfOnesOwnIsRefusedUnlessAnyNetworkMayBeReached() {
    for parameters in [
      #"{"proxyServer":"http://10.0.0.1:3128"}"#, #"{"proxyBypassList":"127.0.0.1"}"#,
      #"{"pr\u006fxyServer":"direct://"}"#,
    ] {
      let message = command("Target.createBrowserContext", parameters)
      #expect(reason(message)?.contains("proxy of its own") == true)
      #expect(reason(message, CommandRules(allowsAnyNetwork: true)) == nil)
    }
  }

  @Test func commandsWithinCommandsAreLookedAtToo() throws {
    var message = command("Page.navigate", #"{"url":"file:///"}"#)
    for depth in 0..<6 {
      var writer = JSONWriter()
      writer.object { writer in
        writer.field("id", depth)
        writer.field("method", "Target.sendMessageToTarget")
        writer.object("params") { $0.field("message", message) }
      }
      message = writer.string
      #expect(reason(message) != nil)
    }
    for method in ["Target.setRemoteLocations", "Target.exposeDevToolsProtocol"] {
      #expect(reason(command(method)) == "\(method): not on this server")
    }
  }

  /// Of two readers each may take another one of two members.
  @Test(arguments: [
    #"{"id":1,"method":"Page.enable","method":"Page.navigate"}"#,
    #"{"id":1,"method":"Page.navigate","params":{"url":"about:blank","url":"file:///"}}"#,
    #"{"id":1,"method":"Page.navigate","params":{},"params":{"url":"file:///"}}"#,
    #"{"id":1,"id":2,"method":"Page.enable"}"#,
    #"{"id":1,"method":"Page.navigate","params":{"url":"file:///"}} // "#,
    #"{"id":1,/**/"method":"Page.enable"}"#, "[]", "", "{", #"{"method":1}"#, "\u{0}",
  ])
  func whatCanBeReadInTwoWaysIsRefused(_ message: String) {
    #expect(reason(message)?.hasPrefix("Message must be a valid JSON object") == true)
  }

  @Test func theReplyNamesTheCommand() throws {
    let message = command("Target.exposeDevToolsProtocol")
    let refusal = try #require(
      CommandRules(allowsAnyNetwork: true).refusal(of: Array(message.utf8)))
    #expect(
      refusal.reply == #"{"id":7,"error":{"code":-32000,"message":"#
        + #""Target.exposeDevToolsProtocol: not on this server"},"sessionId":"S"}"#)
    #expect(
      CommandRefusal(code: -32700, reason: "a\"b").reply
        == #"{"error":{"code":-32700,"message":"a\"b"}}"#)
  }

  @Test func randomTextIsRefusedOrPasses() {
    var random = SystemRandomNumberGenerator()
    let pieces = [
      "{", "}", "\"", "method", "params", ":", ",", "Page.navigate", "url", "\\u00", "[", "]", "1",
      "message", "Target.sendMessageToTarget", " ", "\u{e9}",
    ]
    let rules = CommandRules(allowsAnyNetwork: false)
    for _ in 0..<5_000 {
      let text = (0..<12).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
      _ = rules.refusal(of: Array(text.utf8))
    }
  }
}
