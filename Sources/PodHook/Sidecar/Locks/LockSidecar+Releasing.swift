import Coordination
import CoreMetrics
import Logging

extension LockSidecar {
  /// Gives the lock back, and tries again until that is done or the kubelet would kill.
  ///
  /// Runs after the task that held the lock has ended; a cancelled task could not reach the store,
  /// so this must not be called in one.
  func release() async {
    let status = view.status(at: time.now)
    view.drop()
    metrics.held.record(0)
    let end = time.now + configuration.releaseTime
    while time.now < end, !Task.isCancelled {
      do throws(StoreError) {
        let isReleased = try await releaseOnce(deadline: min(time.now + Patience.storeTime, end))
        if isReleased {
          metrics.released.increment()
          logger.notice("lock released")
        } else if status.isHeld {
          logger.notice("lock was gone before it was released")
        }
        effects.mark?.erase()
        return
      } catch {
        logger.warning("lock could not be released", metadata: ["reason": "\(error)"])
      }
      guard (try? await time.sleep(for: .milliseconds(100))) != nil else { return }
    }
  }

  private func releaseOnce(deadline: Duration) async throws(StoreError) -> Bool {
    let (key, uid) = (configuration.key, configuration.podUID)
    let token = await currentToken(deadline: deadline)
    if terms.releaseDelay > .zero {
      let result = try await store.extend(
        key, .init(token: token), as: configuration.holder,
        ttl: min(terms.releaseDelay, terms.expiration), deadline: deadline)
      try await store.forgetOpened(key, podUID: uid, deadline: deadline)
      if case .extended = result { return true }
      return false
    }
    return try await store.release(key, token: token, podUID: uid, deadline: deadline)
  }

  /// The token under which this Pod may have the lock. A sidecar that never held it looks whether
  /// the one before it had acquired the lock anew.
  private func currentToken(deadline: Duration) async -> Token {
    if let token = view.token { return token }
    let uid = configuration.podUID
    guard
      let snapshot = try? await store.inspect(configuration.key, podUID: uid, deadline: deadline),
      let record = snapshot.owner?.record, record.holder?.podUID == uid
    else { return configuration.token }
    return record.token
  }
}
