/// How far a listing has come, in the order of bytes.
package enum ListPosition: Sendable, Hashable {
  case start
  /// Behind this, which need not be a key.
  case after([UInt8])
  /// Behind all that begins with this.
  case past([UInt8])

  /// Whether a key is still to come.
  package func isBefore(_ key: [UInt8]) -> Bool {
    switch self {
    case .start: true
    case .after(let last): last.lexicographicallyPrecedes(key)
    case .past(let prefix):
      prefix.lexicographicallyPrecedes(key) && !key.starts(with: prefix)
    }
  }

  /// Whether one of the keys that begin with `prefix` may be still to come.
  package func mayBeBefore(keysWith prefix: [UInt8]) -> Bool {
    switch self {
    case .start: true
    case .after(let last):
      last.starts(with: prefix) || last.lexicographicallyPrecedes(prefix)
    case .past(let past):
      if prefix.starts(with: past) {
        false
      } else {
        past.starts(with: prefix) || past.lexicographicallyPrecedes(prefix)
      }
    }
  }
}
