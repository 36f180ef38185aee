package import Coordination

/// Permits for Pods: at least N Pods of a key can run at the same time.
package struct PermitClaims: Claims {
  private let semaphore: Semaphore
  private let locks: any LockStore
  /// How long a claim waits for its sidecar.
  private let claimTime: Duration
  private let heartbeatInterval: Duration
  private let gauges: SemaphoreGauges

  package static let expirationRange = 1...3600
  package static let lengthRange = 1...100_000

  /// - Parameters:
  ///   - locks: the store of the locks that `semaphore` takes.
  ///   - gauges: learns which semaphores there are.
  package init(
    semaphore: Semaphore, locks: any LockStore, claimTime: Duration, heartbeatInterval: Duration,
    gauges: SemaphoreGauges
  ) {
    self.semaphore = semaphore
    self.locks = locks
    self.claimTime = claimTime
    self.heartbeatInterval = heartbeatInterval
    self.gauges = gauges
  }

  package var stores: [any CoordinationStore] { [locks, semaphore.store] }
  package var annotationRules: PodAnnotations.Rules {
    .init(expiration: Self.expirationRange, length: Self.lengthRange)
  }

  package func take(
    _ key: NamespacedKey, _ annotations: PodAnnotations, for holder: Holder, deadline: Duration
  ) async throws -> ClaimAnswer {
    gauges.follow(key)
    let take = try await semaphore.take(
      key, length: annotations.length, lockTime: .seconds(annotations.expiration), as: holder,
      lifetime: min(claimTime, semaphore.store.staleAfter), deadline: deadline)
    switch take {
    case .granted(let token): return .granted(token, fencingToken: nil)
    case .exhausted(let counts): return exhausted(counts, annotations.length)
    }
  }

  package func rehearse(
    _ key: NamespacedKey, _ annotations: PodAnnotations, for holder: Holder, deadline: Duration
  ) async throws -> ClaimAnswer {
    let counts = try await semaphore.store.counts(key, deadline: deadline)
    if counts.inFlight - counts.stale >= annotations.length {
      return exhausted(counts, annotations.length)
    }
    return .granted(ClaimAnswer.placeholder, fencingToken: nil)
  }

  private func exhausted(_ counts: SemaphoreCounts, _ length: Int) -> ClaimAnswer {
    .refused(.exhausted, Refusal.noPermit(counts, length: counts.length ?? length))
  }

  package func claimant(
    _ key: NamespacedKey, token: Token, deadline: Duration
  ) async throws -> Holder? {
    let permit = try await semaphore.store.permit(key, token: token, deadline: deadline)
    guard let holder = permit?.holder, holder.podUID == nil else { return nil }
    return holder
  }

  package func giveBack(_ key: NamespacedKey, token: Token) {
    semaphore.store.giveBack(key, token: token, podUID: nil)
  }

  package func sidecarTerms(
    _ annotations: PodAnnotations, otherContainers: Int
  ) -> SidecarTerms {
    SidecarTerms(arguments: [
      "--length", String(annotations.length), "--lock-seconds", String(annotations.expiration),
      "--heartbeat-interval-seconds", String(heartbeatInterval.components.seconds),
      "--stale-threshold-seconds", String(semaphore.store.staleAfter.components.seconds),
    ])
  }
}

extension SemaphoreError: ClaimFault {
  package var outcome: AdmissionOutcome {
    switch self {
    case .foreignLock: .misconfigured
    default: .storeUnavailable
    }
  }
}
