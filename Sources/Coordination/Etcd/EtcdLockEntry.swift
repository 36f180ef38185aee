import EtcdClient

/// A contender's key as it stands in etcd.
struct EtcdLockEntry: Sendable {
  let keyValue: EtcdKeyValue
  /// Nil if another program took the lock, such as `etcdctl lock`.
  let holder: Holder?

  init(_ keyValue: EtcdKeyValue) {
    self.keyValue = keyValue
    holder = keyValue.valueText.flatMap { LockRecord(parsing: $0).holder }
  }

  /// The token is the whole name of the key.
  var record: LockRecord {
    LockRecord(token: Token(String(decoding: keyValue.key, as: UTF8.self)), holder: holder)
  }

  var fencingToken: UInt64 { UInt64(clamping: keyValue.createRevision) }
  var isBound: Bool { holder?.podUID != nil }

  /// Whether this Pod, or somebody without a UID, may give it up: a claim is its token's, a bound
  /// lock its Pod's.
  func mayBeReleased(by podUID: String?) -> Bool {
    guard let holder else { return false }
    return holder.podUID == nil || holder.podUID == podUID
  }

  /// `<nonce> <pod uid or -> <JSON>`: the nonce makes the value of every attempt unique, so that a
  /// comparison with it is one with the attempt.
  static func value(nonce: Token, holder: Holder) -> [UInt8] {
    Array(LockRecord(token: nonce, holder: holder).text.utf8)
  }
}
