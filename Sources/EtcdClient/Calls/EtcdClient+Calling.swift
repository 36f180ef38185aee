import GRPCCore
import NIOCore
import SwiftProtobuf

extension EtcdClient {
  /// An answer, and whether an earlier attempt may have been run too.
  struct Answered<Answer: Message> {
    let answer: Answer
    let mayHaveRunBefore: Bool
  }

  func call<Request: Message, Answer: Message>(
    _ method: MethodDescriptor, _ request: Request, timeout: Duration, isRepeatable: Bool = true
  ) async throws(EtcdError) -> Answered<Answer> {
    try await call(
      method, request, deadline: .now() + TimeAmount(timeout), isRepeatable: isRepeatable)
  }

  /// Asks one member after the other until one has done it.
  ///
  /// - Parameter isRepeatable: whether another member may be asked when one may have done it
  ///   already.
  func call<Request: Message, Answer: Message>(
    _ method: MethodDescriptor, _ request: Request, deadline: NIODeadline,
    isRepeatable: Bool = true, isAuthenticated: Bool = true
  ) async throws(EtcdError) -> Answered<Answer> {
    let endpoints = endpoints
    var attempts = Attempts(count: endpoints.count)
    while true {
      for index in order(of: endpoints) {
        var tokenRefusals = 0
        repeat {
          let now = NIODeadline.now()
          guard now < deadline else { throw attempts.unavailable(endpoints) }
          var metadata = Self.metadata(token: nil)
          var token: String?
          if isAuthenticated {
            do throws(EtcdError) {
              (metadata, token) = try await self.metadata(deadline: deadline)
            } catch {
              throw attempts.error(error.kind, error.message, endpoints, failures: error.failures)
            }
          }
          let attemptEnd = attemptDeadline(from: now, until: deadline)
          let result: Result<Answer, AttemptFailure> = await endpoints[index].exchange(
            method, request, metadata: metadata, deadline: attemptEnd)
          report(result, of: endpoints[index], since: now)
          switch result {
          case .success(let answer):
            endpoints[index].noteSuccess()
            if !attempts.isEmpty { prefer(index) }
            return Answered(answer: answer, mayHaveRunBefore: attempts.mayHaveRun)
          case .failure(let failure):
            attempts.note(failure, at: index)
            switch failure.kind {
            case .cancelled: throw attempts.error(.cancelled, "given up", endpoints)
            case .final(let kind):
              endpoints[index].noteSuccess()
              throw EtcdError(
                kind, "\(method.method): \(failure.reason)", mayHaveRun: attempts.mayHaveRun)
            case .tokenRefused:
              // A member that was restarted has forgotten all tokens.
              discard(token: token)
              tokenRefusals += 1
              if tokenRefusals > 2 || configuration.credentials == nil {
                throw attempts.error(.denied, "\(method.method): \(failure.reason)", endpoints)
              }
              continue
            case .timedOut:
              // Cut short by the deadline it says nothing of the member.
              if attemptEnd - now >= TimeAmount(configuration.attemptTimeout) {
                endpoints[index].noteFailure(failure.reason)
              }
            case .passing: endpoints[index].noteFailure(failure.reason)
            }
            if attempts.mayHaveRun, !isRepeatable { throw attempts.unavailable(endpoints) }
          }
          break
        } while true
      }
      // All have failed: an election perhaps, or the whole cluster is away.
      do {
        try await Task.sleep(for: configuration.roundPause)
      } catch {
        throw attempts.error(.cancelled, "given up", endpoints)
      }
    }
  }

  private func report(
    _ result: Result<some Message, AttemptFailure>, of endpoint: EtcdEndpoint,
    since start: NIODeadline
  ) {
    guard let observer = configuration.observer else { return }
    var isFailure = false
    if case .failure(let failure) = result {
      switch failure.kind {
      case .cancelled: return
      case .passing, .timedOut: isFailure = true
      case .tokenRefused, .final: break
      }
    }
    let duration = Duration.nanoseconds((.now() - start).nanoseconds)
    observer(EtcdAttempt(member: endpoint.address, duration: duration, isFailure: isFailure))
  }

  private func attemptDeadline(from now: NIODeadline, until deadline: NIODeadline) -> NIODeadline {
    endpoints.count == 1 ? deadline : min(deadline, now + TimeAmount(configuration.attemptTimeout))
  }
}

/// What the attempts of a call came to so far.
struct Attempts {
  private var reasons: [String?]
  private(set) var mayHaveRun = false
  private(set) var isEmpty = true

  init(count: Int) { reasons = Array(repeating: nil, count: count) }

  mutating func note(_ failure: AttemptFailure, at index: Int) {
    isEmpty = false
    mayHaveRun = mayHaveRun || failure.mayHaveRun
    reasons[index] = failure.reason
  }

  func unavailable(_ endpoints: [EtcdEndpoint]) -> EtcdError {
    error(.unavailable, isEmpty ? "no time was left to ask a member" : "", endpoints)
  }

  func error(
    _ kind: EtcdError.Kind, _ message: String, _ endpoints: [EtcdEndpoint],
    failures: [EtcdError.MemberFailure] = []
  ) -> EtcdError {
    EtcdError(
      kind, message,
      failures: failures
        + zip(endpoints, reasons).compactMap { endpoint, reason in
          reason.map { EtcdError.MemberFailure(member: endpoint.name, reason: $0) }
        }, mayHaveRun: mayHaveRun)
  }
}
