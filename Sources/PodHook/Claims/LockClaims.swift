package import Coordination

/// Locks for Pods: at most one has the lock of its key.
package struct LockClaims: Claims {
  private let store: any LockStore
  /// How long a claim waits for its sidecar; nil: as long as the lock itself, for sidecars that
  /// start together with the application.
  private let claimTime: Duration?
  /// How long sidecars leave a lock to live when they give it up.
  private let releaseDelay: Duration
  /// Seconds since 1970, for people.
  private let wallClock: @Sendable () -> Int

  package static let expirationRange = 1...31_536_000
  /// Below this a busy node or a slow store can cost a healthy Pod its lock.
  private static let comfortableExpiration = 10

  package init(
    store: any LockStore, claimTime: Duration?, releaseDelay: Duration = .zero,
    wallClock: @escaping @Sendable () -> Int
  ) {
    self.store = store
    self.claimTime = claimTime
    self.releaseDelay = releaseDelay
    self.wallClock = wallClock
  }

  package var stores: [any CoordinationStore] { [store] }
  package var annotationRules: PodAnnotations.Rules {
    .init(expiration: Self.expirationRange, length: nil)
  }

  package func take(
    _ key: NamespacedKey, _ annotations: PodAnnotations, for holder: Holder, deadline: Duration
  ) async throws -> ClaimAnswer {
    let ttl = claimTime ?? .seconds(annotations.expiration)
    switch try await store.acquire(key, as: holder, ttl: ttl, deadline: deadline) {
    case .granted(let lease): return .granted(lease.token, fencingToken: lease.fencingToken)
    case .taken(let owner): return taken(owner, holder)
    }
  }

  package func rehearse(
    _ key: NamespacedKey, _ annotations: PodAnnotations, for holder: Holder, deadline: Duration
  ) async throws -> ClaimAnswer {
    let snapshot = try await store.inspect(key, podUID: nil, deadline: deadline)
    if let owner = snapshot.owner { return taken(owner, holder) }
    return .granted(ClaimAnswer.placeholder, fencingToken: snapshot.fencingToken + 1)
  }

  private func taken(_ owner: LockOwnership, _ newcomer: Holder) -> ClaimAnswer {
    .refused(.taken, Refusal.lockTaken(owner, newcomer: newcomer.owner, now: wallClock()))
  }

  package func claimant(
    _ key: NamespacedKey, token: Token, deadline: Duration
  ) async throws -> Holder? {
    let owner = try await store.inspect(key, podUID: nil, deadline: deadline).owner
    guard let record = owner?.record, record.token == token, record.holder?.podUID == nil
    else { return nil }
    return record.holder
  }

  package func giveBack(_ key: NamespacedKey, token: Token) {
    store.giveBack(key, token: token, podUID: nil)
  }

  package func sidecarTerms(
    _ annotations: PodAnnotations, otherContainers: Int
  ) -> SidecarTerms {
    let expiration = annotations.expiration
    // Stopping takes a moment for each container. A third of the lease is the most that a short
    // lease can spare.
    let wanted = 3 + 2 * otherContainers
    let margin = min(wanted, max(expiration / 3, 0))
    var terms = SidecarTerms(arguments: [
      "--expiration-seconds", String(expiration), "--fence-margin-seconds", String(margin),
    ])
    if releaseDelay > .zero {
      terms.arguments += ["--release-delay-seconds", String(releaseDelay.components.seconds)]
    }
    if expiration < Self.comfortableExpiration {
      terms.warnings.append(
        "expiration \(expiration) is below \(Self.comfortableExpiration): "
          + "a slow node or store can cost a healthy Pod its lock")
    }
    if margin < wanted {
      terms.warnings.append(
        "expiration \(expiration) is short for \(otherContainers + 1) containers: the lock is "
          + "given up only \(margin) s before it could run out")
    }
    return terms
  }
}
