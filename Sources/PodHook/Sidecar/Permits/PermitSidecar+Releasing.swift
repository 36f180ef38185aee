import Coordination
import CoreMetrics
import Logging

extension PermitSidecar {
  /// Gives the permit back, and tries again until that is done or the kubelet would kill.
  ///
  /// Must not be called in a cancelled task, which could not reach the store.
  func release() async {
    let isHeld = view.isHeld
    let token = view.token
    view.drop()
    metrics.held.record(0)
    // Whether it was given back or not, a gated application has ended: the next one must wait.
    defer { if configuration.isGated, !Task.isCancelled { effects.mark?.erase() } }
    let end = time.now + configuration.releaseTime
    while time.now < end, !Task.isCancelled {
      do throws(StoreError) {
        let isReleased = try await release(
          token, deadline: min(time.now + Patience.storeTime, end))
        if isReleased {
          metrics.released.increment()
          logger.notice("permit released")
        } else if isHeld {
          logger.notice("permit was gone before it was released")
        }
        return
      } catch {
        logger.warning("permit could not be released", metadata: ["reason": "\(error)"])
      }
      guard (try? await time.sleep(for: .milliseconds(100))) != nil else { return }
    }
  }

  /// - Parameter token: nil: none is known to be held. Then it is the claim, or the permit that the
  ///   sidecar before this one had taken anew.
  private func release(_ token: Token?, deadline: Duration) async throws(StoreError) -> Bool {
    let (key, uid) = (configuration.key, configuration.podUID)
    let isReleased = try await store.release(
      key, token: token ?? configuration.token, podUID: uid, deadline: deadline)
    let mayBeAnother = token == nil && (effects.mark?.read() != nil || !configuration.isGated)
    guard !isReleased, mayBeAnother else { return isReleased }
    let permits = try await store.permits(key, deadline: deadline)
    guard let own = permits.first(where: isOwn) else { return false }
    return try await store.release(key, token: own.token, podUID: uid, deadline: deadline)
  }
}
