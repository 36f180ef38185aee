/// A lease as the server granted it.
package struct EtcdLeaseGrant: Sendable, Hashable {
  package let lease: EtcdLease
  /// What the server granted, which is more than asked for if that was too little for it.
  package let ttl: Duration
}

/// What the server knows of a lease.
package struct EtcdLeaseState: Sendable, Hashable {
  /// Whole seconds; nil: the lease has ended.
  package let timeLeft: Duration?
  package let grantedTTL: Duration
}

/// What a keep-alive came to.
package struct EtcdKeepAlive: Sendable, Hashable {
  /// The lease runs for so long from the moment when the server got the request, not when its answer
  /// came. Nil: it has ended.
  package let ttl: Duration?
  package let state: EtcdState
}

extension EtcdClient {
  /// Grants a lease. A repeated call may leave one behind that nobody knows; it runs out.
  ///
  /// - Parameters:
  ///   - ttl: rounded up to whole seconds.
  ///   - lease: the id to give it; nil: the server chooses. A repeated call with a chosen id may
  ///     find it in use by its own first attempt, which is no error then.
  package func grantLease(
    ttl: Duration, as lease: EtcdLease? = nil, timeout: Duration
  ) async throws(EtcdError) -> EtcdLeaseGrant {
    var request = Etcdserverpb_LeaseGrantRequest()
    request.ttl = seconds(ttl)
    request.id = lease?.id ?? 0
    do throws(EtcdError) {
      let answer: Etcdserverpb_LeaseGrantResponse = try await call(
        Etcdserverpb_Lease.Method.LeaseGrant.descriptor, request, timeout: timeout
      ).answer
      guard answer.id != 0, answer.ttl > 0 else {
        throw EtcdError(.malformedAnswer, "LeaseGrant: \(answer.error)", mayHaveRun: true)
      }
      return EtcdLeaseGrant(lease: EtcdLease(answer.id), ttl: .seconds(answer.ttl))
    } catch  where error.kind == .leaseExists && error.mayHaveRun {
      guard let lease else { throw error }
      let state = try await timeToLive(of: lease, timeout: timeout)
      guard state.timeLeft != nil else { throw error }
      return EtcdLeaseGrant(lease: lease, ttl: state.grantedTTL)
    }
  }

  /// Starts a lease's time anew.
  ///
  /// Each call is a stream of its own with one request: it fails over to another member like every
  /// other call does, whereas a shared stream through a member that stands still would hold up all
  /// leases until it is found out.
  ///
  /// A member that was the leader until just now may answer for a lease that its successor let run
  /// out. Who must know compares ``EtcdState/raftTerm`` with that of a linearizable read after it.
  package func keepAlive(
    _ lease: EtcdLease, timeout: Duration
  ) async throws(EtcdError) -> EtcdKeepAlive {
    var request = Etcdserverpb_LeaseKeepAliveRequest()
    request.id = lease.id
    let answer: Etcdserverpb_LeaseKeepAliveResponse = try await call(
      Etcdserverpb_Lease.Method.LeaseKeepAlive.descriptor, request, timeout: timeout
    ).answer
    guard answer.id == lease.id else {
      throw EtcdError(.malformedAnswer, "LeaseKeepAlive: another lease", mayHaveRun: true)
    }
    return EtcdKeepAlive(
      ttl: answer.ttl > 0 ? .seconds(answer.ttl) : nil, state: EtcdState(answer.header))
  }

  /// Ends a lease, and deletes the keys that have it.
  ///
  /// - Returns: false if there was none.
  @discardableResult
  package func revoke(_ lease: EtcdLease, timeout: Duration) async throws(EtcdError) -> Bool {
    var request = Etcdserverpb_LeaseRevokeRequest()
    request.id = lease.id
    do throws(EtcdError) {
      let _: Answered<Etcdserverpb_LeaseRevokeResponse> = try await call(
        Etcdserverpb_Lease.Method.LeaseRevoke.descriptor, request, timeout: timeout)
      return true
    } catch  where error.kind == .leaseNotFound {
      return error.mayHaveRun
    }
  }

  package func timeToLive(
    of lease: EtcdLease, timeout: Duration
  ) async throws(EtcdError) -> EtcdLeaseState {
    var request = Etcdserverpb_LeaseTimeToLiveRequest()
    request.id = lease.id
    let answer: Etcdserverpb_LeaseTimeToLiveResponse = try await call(
      Etcdserverpb_Lease.Method.LeaseTimeToLive.descriptor, request, timeout: timeout
    ).answer
    return EtcdLeaseState(
      timeLeft: answer.ttl >= 0 ? .seconds(answer.ttl) : nil,
      grantedTTL: .seconds(max(0, answer.grantedTtl)))
  }

  private func seconds(_ duration: Duration) -> Int64 {
    let (seconds, attoseconds) = duration.components
    return max(1, seconds + (attoseconds > 0 ? 1 : 0))
  }
}
