import EtcdClient

/// What all stores on etcd have in common: deadlines instead of timeouts, the errors of stores, and
/// the rules about leases.
protocol EtcdStore: Sendable {
  var client: EtcdClient { get }
  var time: any MonotonicTime { get }
  /// Goes in front of every key in etcd.
  var keyPrefix: String { get }
}

extension EtcdStore {
  func timeout(until deadline: Duration) -> Duration { max(.zero, deadline - time.now) }

  /// A lease's life without drift: 1 % of it and 2 ms.
  func validity(of ttl: Duration) -> Duration { ttl - ttl / 100 - .milliseconds(2) }

  /// Times to live that differ by more than this part, or by more than a few seconds, are different
  /// ones: a lease cannot change its own.
  func isAbout(_ granted: Duration, _ wanted: Duration) -> Bool {
    granted >= wanted && granted <= wanted + wanted / 10 + .seconds(5)
  }

  func storeError(_ error: EtcdError, _ key: NamespacedKey?) -> StoreError {
    let members = client.addresses.count
    var failures = error.failures.map {
      StoreError.MemberFailure(member: $0.member, reason: $0.reason)
    }
    if failures.isEmpty { failures = [.init(member: "etcd", reason: error.message)] }
    return StoreError(
      error.kind == .cancelled || Task.isCancelled ? .cancelled : .noQuorum, key: key,
      quorum: members / 2 + 1, members: members, failures: failures)
  }

  /// Waits a little before the next look at what has just changed.
  func pause(until deadline: Duration) async throws(EtcdError) {
    do {
      try await time.sleep(until: min(deadline, time.now + .milliseconds(50)))
    } catch {
      throw EtcdError(.cancelled, "given up")
    }
  }

  /// Keeps a lease alive, then reads a key.
  ///
  /// A leader that was deposed, and does not know it yet, answers for leases that its successor let
  /// run out. If the read, which a majority confirmed, is of the same term as the keep-alive, no
  /// other leader came between, and the lease runs from when the request was sent.
  ///
  /// - Returns: the key, and for how long the lease runs; nil: it has ended, or the answers do not
  ///   fit together.
  func keepAlive(
    _ lease: EtcdLease, reading name: [UInt8], deadline: Duration
  ) async throws(EtcdError) -> (keyValue: EtcdKeyValue?, ttl: Duration?) {
    let kept = try await client.keepAlive(lease, timeout: timeout(until: deadline))
    let read = try await client.range(EtcdRange(.key(name)), timeout: timeout(until: deadline))
    let fits = kept.state.raftTerm == read.state.raftTerm
    return (read.keyValues.first, fits ? kept.ttl : nil)
  }

  // MARK: Health

  func checkMajority(deadline: Duration) async throws(StoreError) {
    do throws(EtcdError) {
      // Linearizable: a majority has to confirm it.
      _ = try await client.get("\(keyPrefix)_check", timeout: timeout(until: deadline))
    } catch {
      throw storeError(error, nil)
    }
  }

  /// - Parameter things: what a full cluster does not grant.
  func findings(granting things: String, deadline: Duration) async -> [String] {
    // Users that may not ask for alarms learn nothing, which is no finding.
    guard
      let isOutOfSpace = try? await client.isOutOfSpace(timeout: timeout(until: deadline)),
      isOutOfSpace
    else { return [] }
    return [
      "etcd has used up its space quota and grants no \(things): compact and defragment it, then"
        + " disarm the alarm (etcdctl alarm disarm)"
    ]
  }
}
