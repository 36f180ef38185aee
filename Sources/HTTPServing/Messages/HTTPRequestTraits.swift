import NIOHTTP1

/// What a request's head says about its connection, looked up in one pass.
struct HTTPRequestTraits {
  /// The client waits for a word before it sends the body.
  private(set) var expectsContinue = false
  /// It asks for another protocol: what follows is not parsed.
  private(set) var isUpgrade: Bool
  /// Whether the head is one that everybody on the way reads alike (RFC 9112, sections 3.2, 6.1 and
  /// 6.3); the parser has refused what is wrong in itself.
  private(set) var isSound = true

  init(_ head: HTTPRequestHead) {
    isUpgrade = head.method == .CONNECT
    var hosts = 0
    var codings = 0
    for (name, value) in head.headers {
      switch name.utf8.count {
      case 4 where name.lowercased() == "host":
        hosts += 1
        if !value.utf8.allSatisfy(Self.isHostByte) { isSound = false }
      case 6 where name.lowercased() == "expect":
        expectsContinue = head.version == .http1_1 && value.lowercased() == "100-continue"
      case 7 where name.lowercased() == "upgrade": isUpgrade = true
      case 17 where name.lowercased() == "transfer-encoding":
        codings += 1
        // Other codings would have to be undone, and older proxies do not know any.
        if head.version != .http1_1 || value.lowercased() != "chunked" { isSound = false }
        if head.headers.contains(name: "content-length") { isSound = false }
      default: break
      }
    }
    if hosts > 1 || (hosts == 0 && head.version == .http1_1) || codings > 1 { isSound = false }
  }

  /// Of a host and its port (RFC 3986, section 3.2): nothing that a reader could take for the end of
  /// it, or for a name in front of it.
  private static func isHostByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "A")...UInt8(ascii: "Z"):
      true
    default: ".-:[]_~%!$&'()*+,;=".utf8.contains(byte)
    }
  }
}
