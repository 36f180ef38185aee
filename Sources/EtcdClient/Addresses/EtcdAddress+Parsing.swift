import NIOCore

extension EtcdAddress {
  /// Reads `host`, `host:port`, `[::1]:2379`, or one of these behind `http://` or `https://`.
  ///
  /// Throws an ``EtcdError`` of kind ``EtcdError/Kind/configuration`` that never repeats a text that
  /// may hold a password.
  package init(parsing text: String) throws(EtcdError) {
    do throws(EtcdAddressFault) {
      self = try Self.parse(text)
    } catch {
      throw EtcdError(
        .configuration, error.sentence(about: "the address", text: text.quotable))
    }
  }

  /// Reads addresses separated by commas, and reports the faults of all of them together.
  package static func list(parsing text: String) throws(EtcdError) -> [EtcdAddress] {
    var addresses: [EtcdAddress] = []
    var faults: [String] = []
    for (index, part) in text.split(separator: ",", omittingEmptySubsequences: false).enumerated() {
      let part = trimmed(part)
      do throws(EtcdAddressFault) {
        let address = try parse(part)
        if addresses.contains(where: { $0.description == address.description }) {
          throw .repeated
        }
        addresses.append(address)
      } catch {
        faults.append(
          error.sentence(
            about: "address \(index + 1)", text: text.quotable == nil ? nil : part))
      }
    }
    guard faults.isEmpty else {
      throw EtcdError(.configuration, faults.joined(separator: "; "))
    }
    return addresses
  }

  private static func parse(_ text: String) throws(EtcdAddressFault) -> EtcdAddress {
    let text = trimmed(text[...])
    guard !text.isEmpty else { throw .empty }
    var authority = text
    var usesTLS = false
    if let range = text.firstRange(of: "://") {
      switch text[..<range.lowerBound].lowercased() {
      case "http": usesTLS = false
      case "https": usesTLS = true
      default: throw .scheme
      }
      authority = String(text[range.upperBound...])
      if authority.last == "/" { authority.removeLast() }
    }
    guard !authority.contains("@") else { throw .credentials }
    guard !authority.contains(where: { "/?#".contains($0) }) else { throw .path }
    let (host, port) = try hostAndPort(authority)
    return EtcdAddress(host: host, port: port, usesTLS: usesTLS)
  }

  private static func hostAndPort(_ text: String) throws(EtcdAddressFault) -> (String, Int) {
    if text.first == "[" {
      guard let end = text.firstIndex(of: "]") else { throw .brackets }
      let host = String(text[text.index(after: text.startIndex)..<end])
      let rest = text[text.index(after: end)...]
      guard host.contains(":"), (try? SocketAddress(ipAddress: host, port: 0)) != nil else {
        throw .brackets
      }
      guard !rest.isEmpty else { return (host, defaultPort) }
      guard rest.first == ":" else { throw .brackets }
      return (host, try port(rest.dropFirst()))
    }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count <= 2 else { throw .bareIPv6 }
    let host = String(parts[0])
    guard !host.isEmpty else { throw .noHost }
    guard host.utf8.count <= 253, host.utf8.allSatisfy(isHostCharacter) else { throw .host }
    return (host, parts.count == 2 ? try port(parts[1]) : defaultPort)
  }

  private static func port(_ text: Substring) throws(EtcdAddressFault) -> Int {
    guard let port = Int(text), (1...65535).contains(port), text.first != "+" else { throw .port }
    return port
  }

  private static func isHostCharacter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
      UInt8(ascii: "_"):
      true
    default: false
    }
  }

  private static func trimmed(_ text: Substring) -> String {
    var rest = text
    while rest.first?.isWhitespace == true { rest = rest.dropFirst() }
    while rest.last?.isWhitespace == true { rest = rest.dropLast() }
    return String(rest)
  }
}

extension String {
  /// Nil where user information may hide: better no text in a message than half a password.
  fileprivate var quotable: String? { contains("@") ? nil : self }
}
