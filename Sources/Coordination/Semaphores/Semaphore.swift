import Glibc

/// A semaphore's permits, taken as all implementations take them: the queue is settled under a
/// distributed lock, then a permit is popped.
///
/// What comes at the same time for the same key shares one settling (``SharedPasses``), so that a
/// hundred Pods at once need a few locks, not a hundred.
package final class Semaphore: Sendable {
  package enum Take: Sendable {
    case granted(Token)
    /// No permit is free; the numbers from just before.
    case exhausted(SemaphoreCounts)
  }

  /// Between two attempts to get the lock; doubles up to ten times that.
  private static let firstPause = Duration.milliseconds(5)
  /// How long the answer to letting go of the lock is waited for. After that it is let go of in the
  /// background, so that a member of the lock's store that is away costs no more than this.
  private static let unlockTime = Duration.milliseconds(100)

  package let store: any SemaphoreStore
  private let locks: any LockStore
  private let name: String
  private let time: any MonotonicTime
  let passes: SharedPasses

  /// - Parameters:
  ///   - locks: where the lock around a key is taken, under the key's own name.
  ///   - name: who takes the lock, for those who wait for it.
  package init(
    store: any SemaphoreStore, locks: any LockStore, name: String,
    time: any MonotonicTime = SystemTime()
  ) {
    self.store = store
    self.locks = locks
    self.name = name
    self.time = time
    passes = SharedPasses(time: time)
  }

  /// Takes a permit. Waits for others who are at work on the key, not for a permit.
  ///
  /// A permit that may have been taken by a call that fails or is cancelled is given back.
  ///
  /// - Parameters:
  ///   - length: number of permits. If others state another one, the last counts.
  ///   - lockTime: after what time the lock frees itself should this process crash.
  ///   - lifetime: for how long the permit needs no heartbeat.
  package func take(
    _ key: NamespacedKey, length: Int, lockTime: Duration, as holder: Holder, lifetime: Duration,
    deadline: Duration
  ) async throws(SemaphoreError) -> Take {
    let pass = try await settle(key, length: length, lockTime: lockTime, deadline: deadline)
    // The lock is let go of while the permit is taken.
    async let unlocked: Void = unlock(
      key, pass.lock, until: min(deadline, time.now + Self.unlockTime))
    do throws(SemaphoreError) {
      let take = try await take(
        key, length: length, after: pass.counts, as: holder, lifetime: lifetime, deadline: deadline)
      await unlocked
      return take
    } catch {
      await unlocked
      throw error
    }
  }

  /// Changes the number of permits, as ``take(_:length:lockTime:as:lifetime:deadline:)`` does
  /// without taking one. The next Pod that states a length changes it again.
  package func resize(
    _ key: NamespacedKey, to length: Int, lockTime: Duration, deadline: Duration
  ) async throws(SemaphoreError) -> SemaphoreCounts {
    let pass = try await settle(key, length: length, lockTime: lockTime, deadline: deadline)
    await unlock(key, pass.lock, until: deadline)
    return pass.counts
  }

  private func take(
    _ key: NamespacedKey, length: Int, after counts: SemaphoreCounts, as holder: Holder,
    lifetime: Duration, deadline: Duration
  ) async throws(SemaphoreError) -> Take {
    let length = counts.length ?? length
    if counts.queue == 0 || counts.inFlight >= length { return .exhausted(counts) }
    do throws(StoreError) {
      let token = try await store.pop(
        key, length: length, as: holder, lifetime: lifetime, deadline: deadline)
      guard let token else {
        // Others who were served by the same settling were faster.
        return .exhausted(try await store.counts(key, deadline: deadline))
      }
      if Task.isCancelled {
        store.giveBack(key, token: token, podUID: holder.podUID)
        throw .cancelled(key)
      }
      return .granted(token)
    } catch {
      throw .store(error)
    }
  }

  // MARK: Settling

  /// - Returns: the numbers, and the lock if it is this call's to let go of.
  private func settle(
    _ key: NamespacedKey, length: Int, lockTime: Duration, deadline: Duration
  ) async throws(SemaphoreError) -> (counts: SemaphoreCounts, lock: Token?) {
    switch await passes.turn(of: key, length: length, deadline: deadline) {
    case .ride(let result): return (try result.get(), nil)
    case .lead: break
    }
    do throws(SemaphoreError) {
      let lock = try await lock(key, for: lockTime, deadline: deadline)
      do throws(StoreError) {
        let counts = try await store.settle(
          key, length: passes.depart(key) ?? length, deadline: deadline)
        passes.arrive(key, counts)
        return (counts, lock)
      } catch {
        locks.giveBack(key, token: lock, podUID: nil)
        throw SemaphoreError.store(error)
      }
    } catch {
      passes.fail(key, error, isOver: deadline)
      throw error
    }
  }

  /// Lets the next pass begin.
  private func unlock(_ key: NamespacedKey, _ lock: Token?, until deadline: Duration) async {
    guard let lock else { return }
    do throws(StoreError) {
      _ = try await locks.release(key, token: lock, podUID: nil, deadline: deadline)
    } catch {
      locks.giveBack(key, token: lock, podUID: nil)
    }
    passes.leave(key)
  }

  /// Takes the lock around the key; waits while others have it.
  private func lock(
    _ key: NamespacedKey, for lockTime: Duration, deadline: Duration
  ) async throws(SemaphoreError) -> Token {
    let holder = Holder(pod: "", owner: name, since: Glibc.time(nil))
    var pause = Self.firstPause
    var owner: LockOwnership?
    while true {
      do throws(StoreError) {
        let acquisition = try await locks.acquire(
          key, as: holder, ttl: lockTime, deadline: deadline)
        switch acquisition {
        case .granted(let lease): return lease.token
        case .taken(let other): owner = other
        }
      } catch {
        // The deadline may have come into the last of several attempts.
        guard let owner, error.kind == .noQuorum, SharedPasses.isOver(deadline, time.now) else {
          throw .store(error)
        }
        throw .lockHeld(key, by: owner.record, timeLeft: owner.timeLeft)
      }
      if let other = owner?.record.holder, !other.pod.isEmpty || other.podUID != nil {
        throw .foreignLock(key, by: other)
      }
      passes.wait(key, for: owner)
      // Replicas that wait for the same lock come back at different times.
      let delay = pause * Double.random(in: 0.5...1)
      guard time.now + delay < deadline, (try? await time.sleep(for: delay)) != nil else {
        if Task.isCancelled { throw .store(.cancelled(key)) }
        throw SharedPasses.late(key, owner)
      }
      pause = min(pause * 2, Self.firstPause * 10)
    }
  }
}

extension StoreError {
  fileprivate static func cancelled(_ key: NamespacedKey) -> StoreError {
    StoreError(.cancelled, key: key, quorum: 1, members: 1)
  }
}
