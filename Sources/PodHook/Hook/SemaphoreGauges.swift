package import Coordination
import CoreMetrics
package import Logging
import Metrics
import ServiceLifecycle
import Synchronization

/// Shows as metrics how many permits of each semaphore are free and in flight, for the semaphores
/// that this process was asked about lately.
///
/// What the store sums up (permits reclaimed, say) is the same for every replica: look at the
/// greatest, not at the sum.
package final class SemaphoreGauges: Service {
  private let store: any SemaphoreStore
  private let time: any MonotonicTime
  private let logger: Logger
  private let followed = Mutex<[NamespacedKey: Followed]>([:])

  /// Between two looks at the store.
  private static let interval = Duration.seconds(5)
  /// How long a semaphore without holders is shown after somebody last asked for it.
  private static let memory = Duration.seconds(600)
  /// After so many keys that could not be read, the others of a round would fare no better.
  private static let patience = 3
  /// More keys than that are not shown.
  private static let capacity = 1000

  private struct Followed {
    let instruments: SemaphoreInstruments
    var askedAt: Duration
    var last: SemaphoreCounts?
  }

  package init(
    store: any SemaphoreStore, time: any MonotonicTime = SystemTime(), logger: Logger
  ) {
    self.store = store
    self.time = time
    self.logger = logger
  }

  /// A Pod asked for a permit of this semaphore.
  package func follow(_ key: NamespacedKey) {
    let now = time.now
    followed.withLock { followed in
      if followed[key] != nil {
        followed[key]?.askedAt = now
      } else if followed.count < Self.capacity {
        followed[key] = Followed(instruments: SemaphoreInstruments(key), askedAt: now)
      }
    }
  }

  package func run() async throws {
    await cancelWhenGracefulShutdown {
      var knowsAll = false
      repeat {
        if !knowsAll { knowsAll = await self.followAll() }
        await self.refresh()
      } while (try? await self.time.sleep(for: Self.interval)) != nil
    }
  }

  /// Follows what is there already, as after a restart of this process.
  /// - Returns: whether the store could tell.
  private func followAll() async -> Bool {
    do throws(StoreError) {
      for key in try await store.keys(deadline: time.now + .seconds(5)) { follow(key) }
      return true
    } catch {
      logger.debug("semaphores could not be listed", metadata: ["reason": "\(error)"])
      return false
    }
  }

  /// Reads all followed semaphores once.
  func refresh() async {
    var failures = 0
    for key in followed.withLock({ Array($0.keys) }) where failures < Self.patience {
      do throws(StoreError) {
        record(try await store.counts(key, deadline: time.now + .seconds(1)), of: key)
      } catch {
        failures += 1
        logger.debug("semaphore could not be read", metadata: ["reason": "\(error)"])
      }
    }
  }

  private func record(_ counts: SemaphoreCounts, of key: NamespacedKey) {
    let now = time.now
    followed.withLock { followed in
      guard let entry = followed[key] else { return }
      if counts.inFlight == 0, now - entry.askedAt > Self.memory {
        entry.instruments.destroy()
        followed[key] = nil
      } else {
        entry.instruments.record(counts, since: entry.last)
        followed[key]?.last = counts
      }
    }
  }
}

/// The instruments of one semaphore.
private struct SemaphoreInstruments: Sendable {
  private let queue: Gauge
  private let inFlight: Gauge
  private let length: Gauge
  private let reclaimed: Counter
  private let lost: Counter
  private let overLength: FloatingPointCounter

  init(_ key: NamespacedKey) {
    let dimensions = [("namespace", key.namespace), ("key", key.key)]
    queue = Gauge(label: "at_least_semaphore_queue", dimensions: dimensions)
    inFlight = Gauge(label: "at_least_semaphore_inflight", dimensions: dimensions)
    length = Gauge(label: "at_least_semaphore_length", dimensions: dimensions)
    reclaimed = Counter(label: "at_least_semaphore_reclaimed_total", dimensions: dimensions)
    lost = Counter(label: "at_least_semaphore_lost_total", dimensions: dimensions)
    overLength = FloatingPointCounter(
      label: "at_least_semaphore_over_length_seconds_total", dimensions: dimensions)
  }

  /// - Parameter last: what was recorded before; nil: nothing, and sums start here.
  func record(_ counts: SemaphoreCounts, since last: SemaphoreCounts?) {
    queue.record(counts.queue)
    inFlight.record(counts.inFlight)
    if let number = counts.length { length.record(number) }
    guard let last else { return }
    // Less than before: the store forgot a semaphore that nobody used.
    reclaimed.increment(by: max(counts.reclaimed - last.reclaimed, 0))
    lost.increment(by: max(counts.lost - last.lost, 0))
    let (seconds, attoseconds) = (counts.overLength - last.overLength).components
    overLength.increment(by: max(Double(seconds) + Double(attoseconds) / 1e18, 0))
  }

  func destroy() {
    for gauge in [queue, inFlight, length] { gauge.destroy() }
    for counter in [reclaimed, lost] { counter.destroy() }
    overLength.destroy()
  }
}
