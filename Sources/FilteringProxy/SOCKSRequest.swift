import IPAddresses
import NIOCore

/// What a client of SOCKS version 5 says before bytes flow (RFC 1928).
///
/// Pure values over bytes: both readers take whole messages only, leave the buffer as it is while one
/// is not whole, and need no more than 262 bytes.
enum SOCKSMessage {
  /// No client may send more before it has its answer.
  static let maximumBytes = 512

  static let version: UInt8 = 5

  /// The methods of authentication that a client offers.
  static func readGreeting(_ buffer: inout ByteBuffer) throws(SOCKSFault) -> [UInt8]? {
    var copy = buffer
    guard let version: UInt8 = copy.readInteger() else { return nil }
    guard version == Self.version else { throw .otherVersion(version) }
    guard let count: UInt8 = copy.readInteger(), let methods = copy.readBytes(length: Int(count))
    else { return nil }
    buffer = copy
    return methods
  }

  /// Where a client wants to be connected to.
  static func readRequest(_ buffer: inout ByteBuffer) throws(SOCKSFault) -> SOCKSDestination? {
    var copy = buffer
    guard let head = copy.readBytes(length: 4) else { return nil }
    guard head[0] == version else { throw .otherVersion(head[0]) }
    guard head[1] == 1 else { throw .otherCommand }
    let host: SOCKSDestination.Host
    switch head[3] {
    case 1, 4:
      guard let bytes = copy.readBytes(length: head[3] == 1 ? 4 : 16) else { return nil }
      guard let address = IPAddress(bytes: bytes) else { throw .malformed }
      host = .address(address)
    case 3:
      guard let count: UInt8 = copy.readInteger(), let bytes = copy.readBytes(length: Int(count))
      else { return nil }
      // What a resolver takes to the end, and a log can show.
      guard count > 0, bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { throw .malformed }
      let name = String(decoding: bytes, as: UTF8.self)
      host = IPAddress(name).map { .address($0) } ?? .name(name)
    default: throw .otherAddress
    }
    guard let port: UInt16 = copy.readInteger() else { return nil }
    buffer = copy
    return SOCKSDestination(host: host, port: port)
  }

  /// The answer to a request. Where the connection comes from is not said.
  static func reply(_ code: SOCKSReply) -> [UInt8] {
    [version, code.rawValue, 0, 1, 0, 0, 0, 0, 0, 0]
  }
}

/// Where a client wants to be connected to.
struct SOCKSDestination: Hashable, Sendable, CustomStringConvertible {
  enum Host: Hashable, Sendable {
    case address(IPAddress)
    case name(String)
  }

  let host: Host
  let port: UInt16

  var description: String {
    switch host {
    case .address(let address) where !address.isIPv4: "[\(address)]:\(port)"
    case .address(let address): "\(address):\(port)"
    case .name(let name): "\(name):\(port)"
    }
  }
}

/// Section 6 of RFC 1928.
enum SOCKSReply: UInt8, Sendable {
  case succeeded = 0
  case failed = 1
  case notAllowed = 2
  case networkUnreachable = 3
  case hostUnreachable = 4
  case connectionRefused = 5
  case commandNotSupported = 7
  case addressNotSupported = 8
}

/// What is wrong with what a client sent.
enum SOCKSFault: Error, Hashable, Sendable {
  case otherVersion(UInt8)
  case otherCommand
  case otherAddress
  case malformed

  var reply: SOCKSReply {
    switch self {
    case .otherCommand: .commandNotSupported
    case .otherAddress: .addressNotSupported
    case .otherVersion, .malformed: .failed
    }
  }
}
