/// Tokens that stand on a minority of servers while our lock has a quorum, and since when they are
/// known.
///
/// Such a token is what is left of an earlier holder, or the vote of an attempt that failed or is
/// about to. Only the last is a danger: the attempt may have been counted on this server and wait
/// for another, on which we are just letting go. Every attempt has a token of its own, so once a
/// token is known for longer than an attempt takes, its attempt is over.
struct StrayTokens {
  /// Beyond that, what is known is forgotten: it costs one more renewal.
  private static let capacity = 10_000

  private var firstSeen: [NamespacedKey: [Token: Duration]] = [:]

  /// Notes the tokens that one extension saw; what an earlier one saw and this one did not is over.
  ///
  /// - Parameters:
  ///   - start: from before the servers were asked.
  ///   - now: from after they answered.
  /// - Returns: those tokens that were seen at least `settling` before `start`.
  mutating func see(
    _ tokens: Set<Token>, of key: NamespacedKey, start: Duration, now: Duration, settling: Duration
  ) -> Set<Token> {
    if tokens.isEmpty {
      forget(key)
      return []
    }
    let known = firstSeen[key] ?? [:]
    if known.isEmpty, firstSeen.count >= Self.capacity { firstSeen.removeAll() }
    firstSeen[key] = Dictionary(uniqueKeysWithValues: tokens.map { ($0, known[$0] ?? now) })
    return tokens.filter { known[$0].map { start - $0 >= settling } ?? false }
  }

  mutating func forget(_ key: NamespacedKey) { firstSeen[key] = nil }
}
