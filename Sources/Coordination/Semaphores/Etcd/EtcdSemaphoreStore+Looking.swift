import EtcdClient

extension EtcdSemaphoreStore {
  package func counts(
    _ key: NamespacedKey, deadline: Duration
  ) async throws(StoreError) -> SemaphoreCounts {
    let keys = keys(of: key)
    do throws(EtcdError) {
      return try await counts(try await look(keys, deadline: deadline), keys, deadline: deadline)
    } catch {
      throw storeError(error, key)
    }
  }

  package func permit(
    _ key: NamespacedKey, token: Token, deadline: Duration
  ) async throws(StoreError) -> Permit? {
    let keys = keys(of: key)
    do throws(EtcdError) {
      let entry = try await client.get(keys.permit(token), timeout: timeout(until: deadline))
      guard let entry,
        let silence = try await silence(of: entry.lease, deadline: deadline)
      else { return nil }
      return permit(entry, keys, silence: silence)
    } catch {
      throw storeError(error, key)
    }
  }

  func permit(_ entry: EtcdKeyValue, _ keys: EtcdSemaphoreKeys, silence: Duration) -> Permit {
    Permit(token: keys.token(of: entry.key), holder: entry.holder, silence: silence)
  }

  /// Since a lease was granted or last kept alive, rounded down to seconds: etcd tells no less. Nil
  /// if it has ended. A new leader gives all leases their whole time anew.
  func silence(of lease: EtcdLease?, deadline: Duration) async throws(EtcdError) -> Duration? {
    // Without a lease, as somebody else may have put it, nothing is known.
    guard let lease else { return .zero }
    let state = try await client.timeToLive(of: lease, timeout: timeout(until: deadline))
    guard let timeLeft = state.timeLeft else { return nil }
    return max(.zero, state.grantedTTL - timeLeft - .seconds(1))
  }

  // MARK: Walks

  private static let pageSize = 1000
  /// Questions about leases that are asked at once.
  private static let concurrency = 32

  package func permits(
    _ key: NamespacedKey, deadline: Duration
  ) async throws(StoreError) -> [Permit] {
    let keys = keys(of: key)
    do throws(EtcdError) {
      var entries: [EtcdKeyValue] = []
      var range = EtcdRange(.prefix(keys.inFlight), limit: Self.pageSize)
      while true {
        let page = try await client.range(range, timeout: timeout(until: deadline))
        entries += page.keyValues
        guard page.hasMore, let last = page.keyValues.last else { break }
        range.range = .prefix(keys.inFlight, after: last.key)
      }
      let silences = try await silences(of: Set(entries.compactMap(\.lease)), deadline: deadline)
      let found = entries.compactMap { entry in
        (entry.lease.map { silences[$0] } ?? .zero).map { (entry, silence: $0) }
      }
      return found.sorted {
        ($1.silence, $0.0.createRevision) < ($0.silence, $1.0.createRevision)
      }.map { permit($0.0, keys, silence: $0.silence) }
    } catch {
      throw storeError(error, key)
    }
  }

  /// Those that have ended are left out.
  private func silences(
    of leases: Set<EtcdLease>, deadline: Duration
  ) async throws(EtcdError) -> [EtcdLease: Duration] {
    typealias Answer = Result<(EtcdLease, Duration?), EtcdError>
    let answer: Result<[EtcdLease: Duration], EtcdError> = await withTaskGroup(of: Answer.self) {
      group in
      var silences: [EtcdLease: Duration] = [:]
      for (place, lease) in leases.enumerated() {
        if place >= Self.concurrency, let answer = await group.next() {
          do throws(EtcdError) {
            let (lease, silence) = try answer.get()
            silences[lease] = silence
          } catch {
            group.cancelAll()
            return .failure(error)
          }
        }
        group.addTask {
          do throws(EtcdError) {
            return .success((lease, try await self.silence(of: lease, deadline: deadline)))
          } catch {
            return .failure(error)
          }
        }
      }
      for await answer in group {
        switch answer {
        case .success(let (lease, silence)): silences[lease] = silence
        case .failure(let error):
          group.cancelAll()
          return .failure(error)
        }
      }
      return .success(silences)
    }
    return try answer.get()
  }

  /// Page by page; behind a page's last name the rest of its key is left out.
  package func keys(deadline: Duration) async throws(StoreError) -> [NamespacedKey] {
    var found: Set<NamespacedKey> = []
    do throws(EtcdError) {
      for part in EtcdSemaphoreKeys.Part.allCases {
        let prefix = keyPrefix + part.rawValue
        var range = EtcdRange(.prefix(prefix), limit: Self.pageSize, keysOnly: true)
        while true {
          let page = try await client.range(range, timeout: timeout(until: deadline))
          var end: [UInt8] = []
          for keyValue in page.keyValues {
            end = keyValue.key
            guard let key = EtcdSemaphoreKeys.key(of: keyValue.key, part, prefix: keyPrefix) else {
              continue
            }
            found.insert(key)
            // No name goes on with that byte.
            end = Array(keys(of: key).all(part).utf8) + [0xFF]
          }
          guard page.hasMore, !end.isEmpty else { break }
          range.range = .prefix(prefix, after: end)
        }
      }
    } catch {
      throw storeError(error, nil)
    }
    return found.sorted { $0.description < $1.description }
  }

  package func check(deadline: Duration) async throws(StoreError) {
    try await checkMajority(deadline: deadline)
  }

  package func findings(deadline: Duration) async -> [String] {
    await findings(granting: "permits", deadline: deadline)
  }
}
