import Coordination
import CoreMetrics
import Logging

extension PermitSidecar {
  /// Gives the permit back, and tries again until that is done or the kubelet would kill.
  ///
  /// Must not be called in a cancelled task, which could not reach the store.
  func release() async {
    let isHeld = view.heartbeatAt != nil
    let token = view.token ?? configuration.token
    view.drop()
    metrics.held.record(0)
    let end = time.now + configuration.releaseTime
    while time.now < end, !Task.isCancelled {
      do throws(StoreError) {
        let isReleased = try await store.release(
          configuration.key, token: token, podUID: configuration.podUID,
          deadline: min(time.now + Patience.storeTime, end))
        if isReleased {
          metrics.released.increment()
          logger.notice("permit released")
        } else if isHeld {
          logger.notice("permit was gone before it was released")
        }
        effects.mark?.erase()
        return
      } catch {
        logger.warning("permit could not be released", metadata: ["reason": "\(error)"])
      }
      guard (try? await time.sleep(for: .milliseconds(100))) != nil else { return }
    }
  }
}
