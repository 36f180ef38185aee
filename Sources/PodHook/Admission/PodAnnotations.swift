import JSON

/// What a Pod's annotations ask for.
package struct PodAnnotations: Sendable, Hashable {
  enum Policy: String, CaseIterable, Sendable {
    /// Refuse the Pod while there is nothing for it.
    case deny
    /// Admit it; its containers start when the lock or a permit is won.
    case wait
  }

  /// Why the annotations of a guarded Pod cannot be followed.
  enum Fault: Error, Hashable {
    case key, length, expiration, policy

    var message: String {
      switch self {
      case .key: "valid key is not set"
      case .length: "valid length is not set"
      case .expiration: "valid expiration is not set"
      case .policy: "policy must be \"deny\" or \"wait\""
      }
    }
  }

  /// Bytes.
  static let longestKey = 4096

  /// What one hook takes for an answer.
  package struct Rules: Sendable {
    /// Seconds.
    let expiration: ClosedRange<Int>
    /// Permits; nil: the hook has no such annotation.
    let length: ClosedRange<Int>?
  }

  let key: String
  /// Permits; 1 for a hook without that annotation.
  let length: Int
  /// Seconds.
  let expiration: Int
  let policy: Policy

  /// - Throws: ``Fault``, or `JSONError` if an annotation is there twice.
  init(reading annotations: JSONNode, of identity: HookIdentity, by rules: Rules) throws {
    guard let key = try annotations.field(identity.keyAnnotation)?.string, !key.isEmpty,
      // It becomes an argument of a process.
      key.utf8.count <= Self.longestKey, !key.utf8.contains(0)
    else { throw Fault.key }
    var length = 1
    if let range = rules.length {
      let text = try annotations.field(identity.lengthAnnotation)?.string
      guard let number = Self.number(text, in: range) else { throw Fault.length }
      length = number
    }
    let expiration = try annotations.field(identity.expirationAnnotation)?.string
    guard let seconds = Self.number(expiration, in: rules.expiration) else {
      throw Fault.expiration
    }
    let policy = try annotations.field(identity.policyAnnotation)
    guard let chosen = policy.map({ Policy(rawValue: $0.string ?? "") }) ?? .deny else {
      throw Fault.policy
    }
    self.key = key
    self.length = length
    self.expiration = seconds
    self.policy = chosen
  }

  /// A whole number in range, in plain digits: no sign, no space.
  private static func number(_ text: String?, in range: ClosedRange<Int>) -> Int? {
    guard let text, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      let number = Int(text), range.contains(number)
    else { return nil }
    return number
  }
}
