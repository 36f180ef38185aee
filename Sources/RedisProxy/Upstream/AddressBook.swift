import Glibc
import NIOCore
import NIOPosix
import RedisClient

/// The addresses behind the configured names of a role, and what is known of each: those that failed
/// lately come last.
struct AddressBook {
  /// How long an answer of the resolver is used.
  static let freshness = TimeAmount.seconds(5)
  /// How long an address that failed is left out while others work.
  static let penalty = TimeAmount.seconds(5)

  /// As they are configured.
  let names: [RedisAddress]
  /// Networks near this Pod: their addresses come first.
  let near: [AddressRange]
  private(set) var addresses: [SocketAddress] = []
  private(set) var resolvedAt = NIODeadline.distantPast
  private var failedAt: [String: NIODeadline] = [:]
  /// `master` or `slave`, as the servers themselves have said.
  private var roles: [String: String] = [:]
  /// By the number of the name.
  private var found: [[SocketAddress]]
  private var turn = 0

  init(_ names: [RedisAddress], near: [AddressRange]) {
    self.names = names
    self.near = near
    found = names.map { name in
      (try? SocketAddress(ipAddress: name.host, port: name.port)).map { [$0] } ?? []
    }
    addresses = Self.unique(found)
    if !found.contains(where: \.isEmpty) { resolvedAt = .distantFuture }
  }

  private static func unique(_ found: [[SocketAddress]]) -> [SocketAddress] {
    var all: [SocketAddress] = []
    for address in found.joined() where !all.contains(address) { all.append(address) }
    return all
  }

  func isFresh(at now: NIODeadline) -> Bool { resolvedAt + Self.freshness > now }

  /// Takes the resolver's answers, one for each name; an empty one leaves the addresses of its name
  /// in use.
  mutating func update(_ answers: [[SocketAddress]], at now: NIODeadline) {
    if resolvedAt != .distantFuture { resolvedAt = now }
    for (index, answer) in answers.enumerated() where index < found.count && !answer.isEmpty {
      found[index] = answer
    }
    addresses = Self.unique(found)
    let all = Set(addresses.map(\.description))
    failedAt = failedAt.filter { all.contains($0.key) }
    roles = roles.filter { all.contains($0.key) }
  }

  /// The configured name that stands for an address.
  func name(of address: SocketAddress) -> RedisAddress? {
    zip(names, found).first { $0.1.contains(address) }?.0 ?? names.first
  }

  /// The next attempt asks the resolver again.
  mutating func expire() { if resolvedAt != .distantFuture { resolvedAt = .distantPast } }

  func contains(_ address: SocketAddress) -> Bool { addresses.contains(address) }

  mutating func failed(_ address: SocketAddress, at now: NIODeadline) {
    failedAt[address.description] = now
  }

  mutating func learned(_ role: String, of address: SocketAddress) {
    roles[address.description] = role
  }

  /// What an address was when it was last asked.
  func role(of address: SocketAddress) -> String? { roles[address.description] }

  mutating func forgetRoles() { roles = [:] }

  mutating func worked(_ address: SocketAddress) { failedAt[address.description] = nil }

  func isPenalized(_ address: SocketAddress, at now: NIODeadline) -> Bool {
    failedAt[address.description].map { $0 + Self.penalty > now } ?? false
  }

  /// The addresses in the order in which they are to be tried: near ones first, each call
  /// beginning with another, those that failed lately last.
  mutating func candidates(at now: NIODeadline) -> [SocketAddress] {
    guard addresses.count > 1 else { return addresses }
    turn = (turn + 1) % addresses.count
    let turned = Array(addresses[turn...] + addresses[..<turn])
    let (far, close) = turned.partitioned { address in near.contains { $0.contains(address) } }
    let ordered = close + far
    let (good, bad) = ordered.partitioned { isPenalized($0, at: now) }
    return good + bad
  }

  /// Asks the system's resolver; blocks.
  static func resolve(_ host: String, port: Int) -> [SocketAddress] {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, port.description, &hints, &list) == 0 else { return [] }
    defer { freeaddrinfo(list) }
    var found: [SocketAddress] = []
    var next = list
    while let entry = next?.pointee {
      next = entry.ai_next
      guard let raw = entry.ai_addr else { continue }
      let address: SocketAddress? =
        switch entry.ai_family {
        case AF_INET:
          raw.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
            SocketAddress($0.pointee)
          }
        case AF_INET6:
          raw.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
            SocketAddress($0.pointee)
          }
        default: nil
        }
      if let address, !found.contains(address) { found.append(address) }
    }
    return found
  }
}

extension Array {
  /// The elements that fail a test and those that pass it, each in their order.
  fileprivate func partitioned(_ test: (Element) -> Bool) -> (no: [Element], yes: [Element]) {
    (filter { !test($0) }, filter(test))
  }
}
