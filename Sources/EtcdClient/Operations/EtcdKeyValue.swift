/// A lease: keys that were put with it are deleted when it runs out or is revoked.
package struct EtcdLease: Sendable, Hashable {
  /// Positive.
  package let id: Int64

  package init(_ id: Int64) { self.id = id }
}

/// A key as etcd keeps it.
package struct EtcdKeyValue: Sendable, Hashable {
  package let key: [UInt8]
  package let value: [UInt8]
  /// The store's revision at which the key came to be; it stays until the key is deleted.
  package let createRevision: Int64
  package let modRevision: Int64
  package let lease: EtcdLease?

  /// Nil if it is not UTF-8.
  package var keyText: String? { String(validating: key, as: UTF8.self) }
  /// Nil if it is not UTF-8.
  package var valueText: String? { String(validating: value, as: UTF8.self) }
}

extension EtcdKeyValue {
  init(_ message: Mvccpb_KeyValue) {
    self.init(
      key: Array(message.key), value: Array(message.value),
      createRevision: message.createRevision, modRevision: message.modRevision,
      lease: message.lease == 0 ? nil : EtcdLease(message.lease))
  }
}
