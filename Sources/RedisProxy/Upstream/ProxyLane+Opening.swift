import NIOCore
import NIOSSL
import RedisClient

/// Connections to servers: names, addresses, TCP, TLS, greeting, role.
extension ProxyLane {
  /// Opens a connection; calls back once.
  ///
  /// - Parameters:
  ///   - used: addresses that have a connection already: another one is wanted.
  ///   - deadline: nil: the connect timeout from now on, name resolution included.
  func open(
    _ key: UpstreamKey, avoiding used: [SocketAddress], wantsTable: Bool = false,
    until deadline: NIODeadline? = nil,
    _ done: @escaping (Result<Upstream, UpstreamFailure>) -> Void
  ) {
    let deadline = deadline ?? now + configuration.connectTimeout
    names.look(key.role, until: deadline) { [self] in
      let all = books[key.role]?.candidates(at: now) ?? []
      let ordered = all.filter { !used.contains($0) }
      guard !ordered.isEmpty else {
        let names = (books[key.role]?.names ?? []).map(\.host).joined(separator: ", ")
        return done(.failure(.unreachable("\(names) cannot be resolved")))
      }
      let attempt = OpeningAttempt(
        key: key, wantsTable: wantsTable, deadline: deadline, mayStandIn: used.isEmpty, done: done)
      tryNext(attempt, ordered[...], acceptsReplica: all.count == 1 || key.role == .reader)
    }
  }

  private struct OpeningAttempt {
    let key: UpstreamKey
    let wantsTable: Bool
    let deadline: NIODeadline
    /// Whether a replica will do for the primary, if there is none.
    let mayStandIn: Bool
    let done: (Result<Upstream, UpstreamFailure>) -> Void
    var replicas: [SocketAddress] = []
    var failure = UpstreamFailure.unreachable("there is no address")
  }

  private func tryNext(
    _ attempt: OpeningAttempt, _ addresses: ArraySlice<SocketAddress>, acceptsReplica: Bool
  ) {
    guard let address = addresses.first, now < attempt.deadline, !isClosed else {
      if !attempt.replicas.isEmpty, !acceptsReplica, attempt.mayStandIn {
        // No primary among them: a replica answers reads, and says itself that it takes no writes.
        return tryNext(attempt, attempt.replicas[...], acceptsReplica: true)
      }
      metrics.connectFailures += 1
      return attempt.done(.failure(attempt.failure))
    }
    let share = (attempt.deadline - now).nanoseconds / Int64(addresses.count)
    connect(attempt, to: address, timeout: .nanoseconds(max(share, 100_000_000))) { [self] result in
      var attempt = attempt
      switch result {
      case .success(let upstream):
        // A user who may not ask is told what others were.
        if let role = upstream.greeting.role {
          books[attempt.key.role]?.learned(role, of: address)
        }
        if !acceptsReplica, books[attempt.key.role]?.role(of: address) == "slave" {
          upstream.close()
          attempt.replicas.append(address)
          return tryNext(attempt, addresses.dropFirst(), acceptsReplica: false)
        }
        if attempt.key.role == .reader, !upstream.greeting.isLinked {
          upstream.close()
          books[.reader]?.failed(address, at: now)
          attempt.failure = .unreachable("\(address): the replica does not follow its primary")
          return tryNext(attempt, addresses.dropFirst(), acceptsReplica: true)
        }
        books[attempt.key.role]?.worked(address)
        opened(upstream)
        attempt.done(.success(upstream))
      case .failure(.refused(let error)) where !error.hasPrefix("LOADING"):
        attempt.done(.failure(.refused(error)))
      case .failure(let failure):
        books[attempt.key.role]?.failed(address, at: now)
        attempt.failure = .unreachable("\(address): \(failure.reason)")
        tryNext(attempt, addresses.dropFirst(), acceptsReplica: acceptsReplica)
      }
    }
  }

  private func connect(
    _ attempt: OpeningAttempt, to address: SocketAddress, timeout: TimeAmount,
    _ done: @escaping (Result<Upstream, UpstreamFailure>) -> Void
  ) {
    var isDone = false
    let finish: (Result<Upstream, UpstreamFailure>) -> Void = { result in
      if isDone {
        if case .success(let upstream) = result { upstream.close() }
        return
      }
      isDone = true
      done(result)
    }
    let name = books[attempt.key.role]?.name(of: address)
    let security: UpstreamTLS?
    do {
      security = try tlsFiles.security(for: name, configuration)
    } catch {
      return finish(.failure(.unreachable("\(error)")))
    }
    let timer = eventLoop.assumeIsolated().scheduleTask(in: timeout) {
      finish(.failure(.unreachable("no answer within \(timeout.nanoseconds / 1_000_000) ms")))
    }
    dial(eventLoop, address, timeout)
      .assumeIsolated()
      .whenComplete { [self] result in
        switch result {
        case .failure(let error):
          timer.cancel()
          finish(.failure(.unreachable(UpstreamFailure.sentence(for: error))))
        case .success(let channel):
          let upstream = Upstream(
            key: attempt.key, lane: self, address: address, retireAt: retirement(),
            setup: UpstreamSetup(
              version: attempt.key.version, database: attempt.key.database,
              credentials: credentials(attempt.key, name), wantsTable: attempt.wantsTable)
          ) { result in
            timer.cancel()
            finish(result)
          }
          let deadline = eventLoop.assumeIsolated().scheduleTask(in: timeout) {
            if !upstream.isOpen { channel.close(promise: nil) }
          }
          channel.closeFuture.assumeIsolated().whenComplete { _ in deadline.cancel() }
          do {
            let pipeline = channel.pipeline.syncOperations
            if let security {
              try pipeline.addHandler(
                NIOSSLClientHandler(context: security.context, serverHostname: security.name))
            }
            try pipeline.addHandler(upstream)
          } catch {
            channel.close(promise: nil)
            finish(.failure(.unreachable("\(error)")))
          }
        }
      }
  }

  private func credentials(_ key: UpstreamKey, _ name: RedisAddress?) -> RedisCredentials? {
    switch key.identity {
    case .client(let credentials): credentials
    case .proxy: configuration.credentials ?? name?.credentials
    }
  }
}

extension UpstreamFailure {
  var reason: String {
    switch self {
    case .refused(let text), .unreachable(let text): text
    }
  }
}
