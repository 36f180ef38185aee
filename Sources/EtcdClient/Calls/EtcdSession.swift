import Synchronization

/// The token that stands for user and password, fetched once for all calls that need it.
final class EtcdSession: Sendable {
  private enum State {
    case none
    case fetching(Task<Result<String?, EtcdError>, Never>)
    /// Nil: the cluster has authentication switched off.
    case known(String?)
  }

  private let state = Mutex(State.none)

  /// The token, by `fetch` if none is known and nobody is fetching it.
  func token(
    _ fetch: @escaping @Sendable () async -> Result<String?, EtcdError>
  ) async throws(EtcdError) -> String? {
    let task: Task<Result<String?, EtcdError>, Never>
    switch state.withLock({ state -> State in
      if case .none = state {
        // Shared by all who wait for it, so it cannot be the child of one of them. It ends by the
        // deadline of the call that it makes.
        state = .fetching(
          Task {
            let result = await fetch()
            self.state.withLock { state in
              if case .success(let token) = result { state = .known(token) } else { state = .none }
            }
            return result
          })
      }
      return state
    }) {
    case .known(let token): return token
    case .fetching(let running): task = running
    case .none: return nil
    }
    return try await task.value.get()
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
