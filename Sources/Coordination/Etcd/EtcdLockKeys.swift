import EtcdClient
import URIEncoding

/// The names of a lock in etcd: those of etcd's own concurrency recipe
/// (https://github.com/etcd-io/etcd/tree/main/client/v3/concurrency), so that `etcdctl lock
/// <namespace>/<key>` contends for the same lock.
struct EtcdLockKeys: Sendable {
  /// Goes in front of everything.
  let prefix: String
  let key: NamespacedKey

  /// What all contenders' keys begin with. The key part is encoded, so that the locks `a` and `a/b`
  /// never meet and no name holds white space.
  var contenders: String { "\(prefix)\(key.namespace)/\(Self.encoded(key.key))/" }

  /// A contender's own key, which is its token.
  func contender(_ lease: EtcdLease) -> String { contenders + String(lease.id, radix: 16) }

  /// Whether a token can be one of this lock.
  func mayOwn(_ token: Token) -> Bool {
    let contenders = contenders.utf8
    guard token.text.utf8.starts(with: contenders) else { return false }
    return Self.isLeaseID(token.text.utf8.dropFirst(contenders.count))
  }

  /// The record that a Pod's application was started. No namespace begins with `_`.
  func opened(by podUID: String) -> String {
    "\(prefix)_opened/\(key.namespace)/\(Self.encoded(key.key))/\(Self.encoded(podUID))"
  }

  /// Where an attempt is declared void that may still be under way.
  static func void(prefix: String, nonce: Token) -> String { "\(prefix)_void/\(nonce.text)" }

  /// The lock that a contender's key belongs to; nil if the name is not of this layout.
  static func lockKey(of name: [UInt8], prefix: String) -> NamespacedKey? {
    guard name.starts(with: prefix.utf8) else { return nil }
    let rest = name.dropFirst(prefix.utf8.count)
    guard let slash = rest.lastIndex(of: UInt8(ascii: "/")), isLeaseID(rest[(slash + 1)...]) else {
      return nil
    }
    return namespacedKey(rest[..<slash])
  }

  /// Reads `<namespace>/<encoded key>`.
  static func namespacedKey(_ path: some Collection<UInt8>) -> NamespacedKey? {
    let parts = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, parts[0].allSatisfy(isNamespaceByte),
      let key = PercentEncoding.decodeText(parts[1]), !key.isEmpty,
      encoded(key).utf8.elementsEqual(parts[1])
    else { return nil }
    return NamespacedKey(namespace: String(decoding: parts[0], as: UTF8.self), key: key)
  }

  private static func isNamespaceByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "-"), UInt8(ascii: "."):
      true
    default: false
    }
  }

  /// A positive 64-bit number in lower-case hexadecimal digits without leading zeros, as `%x` of Go
  /// writes it.
  private static func isLeaseID(_ digits: some Collection<UInt8>) -> Bool {
    guard (1...16).contains(digits.count), digits.first != UInt8(ascii: "0") else { return false }
    return digits.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): true
      default: false
      }
    }
  }

  // MARK: Percent-encoding

  static func encoded(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      let isEncoded =
        scalar == "%" || scalar == "/" || scalar.properties.isWhitespace
        || scalar.properties.generalCategory == .control
      guard isEncoded else {
        result.unicodeScalars.append(scalar)
        continue
      }
      for byte in UTF8.encode(scalar) ?? .init() {
        result += byte < 16 ? "%0" : "%"
        result += String(byte, radix: 16, uppercase: true)
      }
    }
    return result
  }
}
