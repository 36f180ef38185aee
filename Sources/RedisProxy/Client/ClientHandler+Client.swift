import NIOCore
import RESP
import RedisClient

/// `CLIENT`, as far as it is about the client itself.
extension ClientHandler {
  static let badName =
    "ERR Client names cannot contain spaces, newlines or special characters."

  /// As `validateClientName` does.
  static func isName(_ name: ByteBuffer) -> Bool {
    name.readableBytesView.allSatisfy { (UInt8(ascii: "!")...UInt8(ascii: "~")).contains($0) }
  }

  func rename(_ name: ByteBuffer) {
    var copy = ByteBuffer()
    copy.writeImmutableBuffer(name)
    self.name = copy
  }

  /// How a subcommand of `CLIENT` has to be treated: what is about the client's own connection, or
  /// about others by their number, is answered here; what the connection would remember needs one
  /// of its own, and so does what nobody here knows; the rest looks at the server as a whole.
  func kind(ofClient arguments: CommandArguments) -> CommandKind {
    let here = CommandKind.session(.client)
    switch (arguments[1]?.uppercased() ?? "", arguments.count) {
    case ("ID", 2), ("GETNAME", 2), ("SETNAME", 3), ("INFO", 2), ("REPLY", 3), ("UNBLOCK", 3...):
      return here
    case ("SETINFO", 4): return lane.table.knowsSetInfo ? here : .plain
    // Numbers of clients are the proxy's: the server would take them for others.
    case ("KILL", 3...), ("LIST", 3...): return arguments.contains("ID") ? here : .plain
    case ("TRACKING", 3...):
      if arguments.contains("REDIRECT") { return here }
      return arguments.has("ON", at: 2) ? .takesOver : .plain
    case ("NO-EVICT", 3), ("NO-TOUCH", 3): return .takesOver
    // What newer servers remember for a connection, and clients can do without.
    case ("MAINT_NOTIFICATIONS", _), ("CAPA", _), ("IMPORT-SOURCE", _): return here
    case ("", _), ("HELP", _), ("LIST", _), ("KILL", _), ("PAUSE", _), ("UNPAUSE", _),
      ("CACHING", _), ("GETREDIR", _), ("TRACKINGINFO", _):
      return .plain
    // The server says that these are wrong.
    case ("ID", _), ("GETNAME", _), ("SETNAME", _), ("INFO", _), ("REPLY", _), ("UNBLOCK", _),
      ("SETINFO", _), ("TRACKING", _), ("NO-EVICT", _), ("NO-TOUCH", _):
      return .plain
    default: return .takesOver
    }
  }

  func answerClient(_ arguments: CommandArguments) {
    switch arguments[1]?.uppercased() ?? "" {
    case "ID": reply(.integer(Int64(number)))
    case "GETNAME": reply(name.readableBytes > 0 ? .bulkString(name) : .null)
    case "SETNAME":
      guard Self.isName(arguments.words[2]) else { return answerError(Self.badName) }
      rename(arguments.words[2])
      reply(.simpleString("OK"))
    case "SETINFO": setInfo(arguments)
    case "INFO": reply(.verbatim(.text, ByteBuffer(string: information + "\n")))
    case "REPLY": setReplies(arguments)
    case "MAINT_NOTIFICATIONS", "CAPA", "IMPORT-SOURCE":
      answerError("ERR unknown subcommand '\(arguments[1] ?? "")'. Try CLIENT HELP.")
    case let subcommand:
      answerError("ERR redis-proxy: CLIENT \(subcommand) does not go through the proxy like this")
    }
  }

  private func setInfo(_ arguments: CommandArguments) {
    let value = arguments[3] ?? ""
    guard Self.isName(arguments.words[3]) else {
      return answerError(
        "ERR \(arguments[2] ?? "") cannot contain spaces, newlines or special characters.")
    }
    switch arguments[2]?.lowercased() {
    case "lib-name": library = String(value.prefix(128))
    case "lib-ver": libraryVersion = String(value.prefix(128))
    default: return answerError("ERR Unrecognized option '\(arguments[2] ?? "")'")
    }
    reply(.simpleString("OK"))
  }

  private func setReplies(_ arguments: CommandArguments) {
    switch arguments[2]?.uppercased() {
    case "ON":
      repliesAreOff = false
      skipsNextReply = false
      reply(.simpleString("OK"))
    case "OFF": repliesAreOff = true
    case "SKIP": if !repliesAreOff { skipsNextReply = true }
    default: answerError("ERR syntax error")
    }
  }

  private var information: String {
    let address = context?.channel.remoteAddress.map(Self.text) ?? ""
    let local = context?.channel.localAddress.map(Self.text) ?? ""
    let age = (lane.now - connectedAt).nanoseconds / 1_000_000_000
    return
      "id=\(number) addr=\(address) laddr=\(local) fd=-1 name=\(String(buffer: name)) age=\(age) "
      + "idle=0 flags=N db=\(database) sub=0 psub=0 ssub=0 multi=-1 cmd=client|info "
      + "user=\(userName) redir=-1 resp=\(version.rawValue) "
      + "lib-name=\(library) lib-ver=\(libraryVersion)"
  }

  private var userName: String {
    switch identity {
    case .proxy: lane.configuration.credentials?.username ?? "default"
    case .client(let credentials): credentials.username ?? "default"
    }
  }

  private static func text(_ address: SocketAddress) -> String {
    guard let host = address.ipAddress, let port = address.port else { return "unix" }
    return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}
