import Synchronization

/// Keeps credentials, and fetches new ones before they expire.
///
/// Whoever finds that they end soon starts the fetch; it runs once, whoever else needs it. While the
/// old ones are good nobody waits for it, and if it fails they serve on.
final class CredentialCache: Sendable {
  private typealias Outcome = Result<AWSCredentials, AWSCredentialError>

  private struct State {
    var credentials: AWSCredentials?
    var fetching: Task<Outcome, Never>?
    /// After a failure: not before this second.
    var nextFetch: Int64 = .min
    var failure: AWSCredentialError?
    /// Why a server did not take the last ones; nil since it had new ones.
    var refusal: AWSCredentialError?
    /// After a refusal that led to a fetch at once: no other one does before this second.
    var nextUrgentFetch: Int64 = .min
  }

  /// How many seconds before their end new ones are fetched.
  static let refreshAhead: Int64 = 300
  /// How many seconds before their end they are not used any more: a request takes time.
  private static let margin: Int64 = 15
  private static let pauseAfterFailure: Int64 = 5

  private let source: any AWSCredentialSource
  private let clock: WallClock
  private let state = Mutex(State())

  init(_ source: any AWSCredentialSource, clock: WallClock) {
    self.source = source
    self.clock = clock
  }

  private enum Step {
    case use(AWSCredentials)
    case wait(Task<Outcome, Never>)
    case fail(AWSCredentialError)
  }

  /// Credentials that are good for now.
  func current() async throws(AWSCredentialError) -> AWSCredentials {
    switch step() {
    case .use(let credentials): return credentials
    case .fail(let error): throw error
    case .wait(let task): return try await task.value.get()
    }
  }

  /// What a server calls expired or unknown is fetched anew, unless that has happened meanwhile: at
  /// once, but not with every request where the new ones are no better.
  ///
  /// - Parameter refusal: what to say while there are no others.
  func discard(_ credentials: AWSCredentials, since refusal: AWSCredentialError) {
    let now = clock.now
    state.withLock { state in
      guard state.credentials == credentials else { return }
      state.credentials = nil
      state.refusal = refusal
      if now >= state.nextUrgentFetch {
        state.nextFetch = .min
        state.nextUrgentFetch = now + Self.pauseAfterFailure
      }
    }
  }

  private func step() -> Step {
    let now = clock.now
    return state.withLock { state in
      let rest = state.credentials.map { ($0.expires ?? .max) - now } ?? .min
      if let credentials = state.credentials, rest > Self.refreshAhead { return .use(credentials) }
      let isUsable = rest > Self.margin
      if state.fetching == nil, now >= state.nextFetch { state.fetching = fetch() }
      if isUsable, let credentials = state.credentials { return .use(credentials) }
      if let task = state.fetching { return .wait(task) }
      return .fail(
        state.refusal ?? state.failure ?? AWSCredentialError("the credentials have expired"))
    }
  }

  /// A task of its own: it serves all who wait, whichever of them is cancelled. It ends by itself,
  /// since a source has deadlines.
  private func fetch() -> Task<Outcome, Never> {
    Task { [self] in
      let outcome: Outcome
      do throws(AWSCredentialError) {
        guard let credentials = try await source.fetch() else {
          throw AWSCredentialError("\(source.name) has no credentials")
        }
        outcome = .success(credentials)
      } catch {
        let refusal = state.withLock { $0.refusal }
        outcome = .failure(
          refusal.map { AWSCredentialError("\($0); there are no new ones", cause: error) } ?? error)
      }
      let now = clock.now
      state.withLock { state in
        state.fetching = nil
        switch outcome {
        case .success(let credentials):
          state.credentials = credentials
          state.failure = nil
          state.refusal = nil
          // Credentials that end soon as they come are not fetched with every request.
          state.nextFetch = now + Self.pauseAfterFailure
        case .failure(let error):
          state.failure = error
          state.nextFetch = now + Self.pauseAfterFailure
        }
      }
      return outcome
    }
  }
}
