import Synchronization

/// The token that stands for user and password, fetched once for all calls that need it.
final class EtcdSession: Sendable {
  typealias Answer = SharedAnswer<Result<String?, EtcdError>>

  private enum State {
    case none
    case fetching(Answer)
    /// Nil: the cluster has authentication switched off.
    case known(String?)
  }

  private let state = Mutex(State.none)

  /// The token, by `fetch` if none is known and nobody is fetching it.
  func token(
    within timeout: Duration, _ fetch: @escaping @Sendable () async -> Result<String?, EtcdError>
  ) async throws(EtcdError) -> String? {
    let answer: Answer
    let current = state.withLock { state -> State in
      if case .none = state {
        state = .fetching(
          Answer {
            let result = await fetch()
            self.state.withLock { state in
              if case .success(let token) = result { state = .known(token) } else { state = .none }
            }
            return result
          })
      }
      return state
    }
    switch current {
    case .known(let token): return token
    case .fetching(let running): answer = running
    case .none: return nil
    }
    guard let result = await answer.value(within: timeout) else {
      throw Task.isCancelled
        ? EtcdError(.cancelled, "given up")
        : EtcdError(.unavailable, "no token for user and password in time")
    }
    return try result.get()
  }

  /// Forgets a token that a member refused, unless it was replaced meanwhile.
  func discard(_ token: String?) {
    state.withLock { state in
      if case .known(token) = state { state = .none }
    }
  }

  /// The token if it is known; the outer nil: it has to be fetched.
  var known: String?? {
    state.withLock { state in
      if case .known(let token) = state { .some(token) } else { nil }
    }
  }
}
