/// One key, or all keys from one to before another, in the order of their bytes.
package struct EtcdKeyRange: Sendable, Hashable {
  /// The first key.
  package let start: [UInt8]
  /// The end, which is not part of it: empty for one key, a single zero byte for no end.
  package let end: [UInt8]

  private init(_ start: [UInt8], _ end: [UInt8]) {
    self.start = start
    self.end = end
  }

  package static func key(_ key: [UInt8]) -> EtcdKeyRange { EtcdKeyRange(key, []) }
  package static func key(_ key: String) -> EtcdKeyRange { .key(Array(key.utf8)) }

  /// All keys that begin so.
  package static func prefix(_ prefix: [UInt8]) -> EtcdKeyRange {
    // etcd takes an empty key for a mistake: the first that there can be is one zero byte.
    prefix.isEmpty ? EtcdKeyRange([0], [0]) : EtcdKeyRange(prefix, Self.end(of: prefix))
  }

  package static func prefix(_ prefix: String) -> EtcdKeyRange { .prefix(Array(prefix.utf8)) }

  /// All keys that begin with `prefix` and come after `key`: the next page of a walk.
  package static func prefix(_ prefix: String, after key: [UInt8]) -> EtcdKeyRange {
    EtcdKeyRange(key + [0], EtcdKeyRange.prefix(prefix).end)
  }

  /// The first text behind all that begin with `prefix`; a zero byte if there is none.
  private static func end(of prefix: [UInt8]) -> [UInt8] {
    var end = prefix
    while let last = end.popLast() {
      if last < 0xFF { return end + [last + 1] }
    }
    return [0]
  }
}
