import FoundationEssentials

/// A condition of a transaction.
package struct EtcdCompare: Sendable, Hashable {
  package enum Relation: Sendable, Hashable {
    case equal, notEqual, less, greater
  }

  /// What of a key is compared, and with what. A key that is not there has zeros, and no value that
  /// equals anything.
  package enum Subject: Sendable, Hashable {
    case createRevision(Int64)
    case modRevision(Int64)
    case value([UInt8])
    case lease(EtcdLease)
  }

  package let range: EtcdKeyRange
  package let relation: Relation
  package let subject: Subject

  /// Holds if it holds for every key of the range, or for a key that is not there if none is.
  package init(_ range: EtcdKeyRange, _ relation: Relation, _ subject: Subject) {
    self.range = range
    self.relation = relation
    self.subject = subject
  }

  /// Nothing is in the range.
  package static func isEmpty(_ range: EtcdKeyRange) -> EtcdCompare {
    EtcdCompare(range, .equal, .createRevision(0))
  }

  package static func exists(_ key: String) -> EtcdCompare {
    EtcdCompare(.key(key), .greater, .createRevision(0))
  }

  package static func value(of key: String, is value: [UInt8]) -> EtcdCompare {
    EtcdCompare(.key(key), .equal, .value(value))
  }

  var message: Etcdserverpb_Compare {
    var message = Etcdserverpb_Compare()
    message.key = Data(range.start)
    message.rangeEnd = Data(range.end)
    message.result =
      switch relation {
      case .equal: .equal
      case .notEqual: .notEqual
      case .less: .less
      case .greater: .greater
      }
    switch subject {
    case .createRevision(let revision):
      message.target = .create
      message.createRevision = revision
    case .modRevision(let revision):
      message.target = .mod
      message.modRevision = revision
    case .value(let value):
      message.target = .value
      message.value = Data(value)
    case .lease(let lease):
      message.target = .lease
      message.lease = lease.id
    }
    return message
  }
}
