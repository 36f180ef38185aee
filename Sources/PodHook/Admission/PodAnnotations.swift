import JSON

/// What a Pod's annotations ask for.
struct PodAnnotations: Sendable, Hashable {
  enum Policy: String, CaseIterable, Sendable {
    /// Refuse the Pod while another holds the lock.
    case deny
    /// Admit it; its containers start when the lock is won.
    case wait
  }

  /// Why the annotations of a guarded Pod cannot be followed.
  enum Fault: Error, Hashable {
    case key, expiration, policy

    var message: String {
      switch self {
      case .key: "valid key is not set"
      case .expiration: "valid expiration is not set"
      case .policy: "policy must be \"deny\" or \"wait\""
      }
    }
  }

  /// Bytes.
  static let longestKey = 4096
  static let expirationRange = 1...31_536_000
  /// Below this a busy node or a slow store can cost a healthy Pod its lock.
  static let comfortableExpiration = 10

  let key: String
  /// Seconds.
  let expiration: Int
  let policy: Policy

  /// - Throws: ``Fault``, or `JSONError` if an annotation is there twice.
  init(reading annotations: JSONNode, of identity: HookIdentity) throws {
    guard let key = try annotations.field(identity.keyAnnotation)?.string, !key.isEmpty,
      // It becomes an argument of a process.
      key.utf8.count <= Self.longestKey, !key.utf8.contains(0)
    else { throw Fault.key }
    guard let expiration = try annotations.field(identity.expirationAnnotation)?.string,
      let seconds = Self.seconds(expiration)
    else { throw Fault.expiration }
    let policy = try annotations.field(identity.policyAnnotation)
    guard let chosen = policy.map({ Policy(rawValue: $0.string ?? "") }) ?? .deny else {
      throw Fault.policy
    }
    self.key = key
    self.expiration = seconds
    self.policy = chosen
  }

  /// A whole number in range, in plain digits: no sign, no space.
  private static func seconds(_ text: String) -> Int? {
    guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      let seconds = Int(text), expirationRange.contains(seconds)
    else { return nil }
    return seconds
  }
}
