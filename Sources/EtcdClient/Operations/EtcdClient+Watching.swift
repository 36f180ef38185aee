import FoundationEssentials
import GRPCCore
import NIOCore

/// A change of a key.
package struct EtcdEvent: Sendable, Hashable {
  package enum Change: Sendable, Hashable {
    case put(EtcdKeyValue)
    case deleted(key: [UInt8])
  }

  package let change: Change
  /// The store's revision that the change made.
  package let revision: Int64
}

extension EtcdClient {
  /// Hands every change in a range to `handle`, in order and none twice, until that returns false.
  ///
  /// The next changes are read when `handle` has returned, so nothing piles up here. If a member
  /// fails, the watch goes on at another from the revision that it had reached.
  ///
  /// - Parameters:
  ///   - revision: the first to report; nil: what changes from now on. `onStart` is called when the
  ///     watch is set up: what changes after that is reported.
  /// - Throws: ``EtcdError`` (`compacted` if a revision is gone: read all anew; `denied`, `refused`,
  ///   and `unavailable` if no member could be watched for as long as `patience`), what `handle`
  ///   throws, and `CancellationError`.
  package func watch(
    _ range: EtcdKeyRange, from revision: Int64? = nil, patience: Duration = .seconds(30),
    onStart: @escaping @Sendable () -> Void = {},
    handle: @escaping @Sendable ([EtcdEvent]) async throws -> Bool
  ) async throws {
    let progress = WatchProgress(next: revision)
    let endpoints = endpoints
    var attempts = Attempts(count: endpoints.count)
    while true {
      for index in order(of: endpoints) {
        try Task.checkCancellation()
        let failure = try await watch(
          range, at: endpoints[index], progress, onStart: onStart, handle: handle)
        guard let failure else { return }
        attempts.note(failure, at: index)
        switch failure.kind {
        case .cancelled: throw CancellationError()
        case .final(let kind): throw EtcdError(kind, "Watch: \(failure.reason)")
        case .tokenRefused where configuration.credentials == nil:
          throw EtcdError(.denied, "Watch: \(failure.reason)")
        case .tokenRefused: break
        case .passing, .timedOut: endpoints[index].noteFailure(failure.reason)
        }
        guard .now() - progress.lastAnswer < TimeAmount(patience) else {
          throw attempts.unavailable(endpoints)
        }
      }
      try await Task.sleep(for: configuration.roundPause)
    }
  }

  /// - Returns: why it ended; nil: the handler has had enough.
  private func watch(
    _ range: EtcdKeyRange, at endpoint: EtcdEndpoint, _ progress: WatchProgress,
    onStart: @escaping @Sendable () -> Void,
    handle: @escaping @Sendable ([EtcdEvent]) async throws -> Bool
  ) async throws -> AttemptFailure? {
    let deadline = NIODeadline.now() + TimeAmount(configuration.attemptTimeout)
    // A stream has no deadline, so ask first whether the member serves at all.
    let probe: Result<Etcdserverpb_StatusResponse, AttemptFailure> = await endpoint.exchange(
      Etcdserverpb_Maintenance.Method.Status.descriptor, Etcdserverpb_StatusRequest(),
      metadata: Self.metadata(token: nil), deadline: deadline)
    if case .failure(let failure) = probe {
      if case .final = failure.kind {} else { return failure }
    }
    let (metadata, token) = try await metadata(deadline: deadline + .seconds(5))
    var create = Etcdserverpb_WatchCreateRequest()
    create.key = Data(range.start)
    create.rangeEnd = Data(range.end)
    create.startRevision = progress.begin()
    create.fragment = true
    var request = Etcdserverpb_WatchRequest()
    request.createRequest = create
    let failure = try await endpoint.stream(
      Etcdserverpb_Watch.Method.Watch.descriptor, request, metadata: metadata,
      as: Etcdserverpb_WatchResponse.self
    ) { answer in
      switch progress.take(answer) {
      case .started:
        endpoint.noteSuccess()
        onStart()
        return true
      case .nothingYet: return true
      case .events(let events): return try await handle(events)
      case .ended: return false
      }
    }
    let end = progress.end ?? failure
    if case .tokenRefused? = end?.kind { discard(token: token) }
    return end
  }
}

extension EtcdEvent {
  init(_ message: Mvccpb_Event) {
    switch message.type {
    case .delete: change = .deleted(key: Array(message.kv.key))
    case .put, .UNRECOGNIZED: change = .put(EtcdKeyValue(message.kv))
    }
    revision = message.kv.modRevision
  }
}
