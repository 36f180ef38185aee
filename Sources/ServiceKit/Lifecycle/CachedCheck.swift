/// Asks a check at most once per interval, and never twice at the same time.
///
/// Whoever asks while another's question is open gets the last answer, for as long as that is not
/// much too old; so a check that hangs turns unhealthy rather than piling up questions.
package actor CachedCheck {
  private let check: HealthCheck
  private let interval: Duration
  private let patience: Duration
  private let now: @Sendable () -> ContinuousClock.Instant

  private var answer: (health: Health, at: ContinuousClock.Instant)?
  private var isAsking = false

  /// - Parameters:
  ///   - interval: how long an answer is good for.
  ///   - patience: how much longer it is used while a new one is being asked for.
  ///   - now: the clock.
  package init(
    _ check: HealthCheck, interval: Duration = .seconds(1), patience: Duration = .seconds(5),
    now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now }
  ) {
    self.check = check
    self.interval = interval
    self.patience = patience
    self.now = now
  }

  /// This as a check of the same name.
  package nonisolated var healthCheck: HealthCheck {
    HealthCheck(check.name) { await self.health() }
  }

  package func health() async -> Health {
    let asked = now()
    if let answer, asked - answer.at < interval { return answer.health }
    if isAsking {
      if let answer, asked - answer.at < interval + patience { return answer.health }
      return .unhealthy("no answer yet")
    }
    isAsking = true
    defer { isAsking = false }
    let health = await check()
    // The answer of a question that was given up says nothing about what it asked for.
    if !Task.isCancelled { answer = (health, now()) }
    return health
  }
}
