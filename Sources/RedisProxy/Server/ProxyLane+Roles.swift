import Logging
import NIOCore
import RESP

/// Which server is what, and what becomes of connections when that changes.
extension ProxyLane {
  /// The least time between two look-ups of roles.
  private static let lookupInterval = TimeAmount.seconds(1)

  /// Looks for the errors that mean that servers have changed their roles.
  ///
  /// A script can answer with any error, so the server itself is asked before anything is done
  /// about connections that others use.
  func noticeError(_ error: Span<UInt8>, from upstream: Upstream) {
    guard error.count > 4 else { return }
    let isStale =
      switch error[1] {
      case UInt8(ascii: "R"): Transaction.starts(error, with: "-READONLY ")
      case UInt8(ascii: "L"): Transaction.starts(error, with: "-LOADING ")
      case UInt8(ascii: "M"): Transaction.starts(error, with: "-MASTERDOWN ")
      default: false
      }
    let isAboutWrites = error[1] == UInt8(ascii: "R")
    guard isStale, upstream.key.role == .primary || !isAboutWrites else { return }
    guard lookedUpAt + Self.lookupInterval <= now else {
      // Newer ones have been made to what there is.
      if upstream.openedAt <= lookedUpAt { upstream.retire() }
      return
    }
    guard let peer = peer(of: upstream) else { return lookUpRoles(because: upstream) }
    if isAboutWrites {
      peer.ask(RESPCommand("ROLE")) { [self] reply in
        if reply.array?.first?.string != "master" { lookUpRoles(because: upstream) }
      }
    } else {
      // Refused for the same reason as any other command.
      peer.ask(RESPCommand("DBSIZE")) { [self] reply in
        if reply.error != nil { lookUpRoles(because: upstream) }
      }
    }
  }

  /// A connection to the same server that can be asked something: best one of the proxy's own user,
  /// since that of a client may not be allowed to.
  private func peer(of upstream: Upstream) -> Upstream? {
    let peers = pools.values.filter { $0.key.role == upstream.key.role }
      .flatMap(\.shared.all).filter { $0.address == upstream.address && $0.isSharable }
    if let peer = peers.first(where: { $0.key.identity == .proxy }) { return peer }
    return upstream.owner == nil && upstream.isOpen ? upstream : peers.first
  }

  // MARK: Replicas in the primary's place

  /// Whether a connection for the primary goes to a replica, since no primary could be reached.
  func isStandIn(_ upstream: Upstream) -> Bool {
    guard let book = books[.primary], book.addresses.count > 1 else { return false }
    return (upstream.greeting.role ?? book.role(of: upstream.address)) == "slave"
  }

  /// Looks for the primary as long as a replica stands in for it, and moves everybody there.
  func replaceStandIns() {
    let primaries = pools.values.filter { $0.key.role == .primary }
    let hasPrimary = primaries.contains { pool in
      pool.shared.all.contains { $0.isSharable && !isStandIn($0) }
    }
    for pool in primaries {
      if hasPrimary {
        pool.retire(where: isStandIn)
        continue
      }
      for upstream in pool.shared.all where upstream.isSharable {
        pool.shared.connect()
        // It may have become the primary itself.
        upstream.ask(RESPCommand("ROLE")) { [self] reply in
          upstream.greeting.learn(role: reply)
          if let role = upstream.greeting.role {
            books[.primary]?.learned(role, of: upstream.address)
          }
        }
      }
    }
  }

  // MARK: Replicas for reads

  /// Asks again who is what: no further commands on the connections that there are.
  private func lookUpRoles(because upstream: Upstream) {
    let now = now
    guard lookedUpAt + Self.lookupInterval <= now else { return }
    lookedUpAt = now
    metrics.roleLookups += 1
    logger.notice(
      "Roles are looked up again",
      metadata: ["server": "\(upstream.address)", "role": "\(upstream.key.role.name)"])
    let role = upstream.key.role
    books[role]?.expire()
    books[role]?.forgetRoles()
    avoid(upstream.address, as: role)
  }

  /// No further commands to an address as long as there are others.
  private func avoid(_ address: SocketAddress, as role: UpstreamRole) {
    books[role]?.failed(address, at: now)
    for pool in pools.values where pool.key.role == role {
      pool.retire { $0.address == address }
    }
  }

  /// Asks each replica whether it still follows its primary: one that does not goes on answering,
  /// with what was true when it lost it.
  func checkReplicas() {
    let readers = pools.values.filter { $0.key.role == .reader }.flatMap(\.shared.all)
    for upstream in readers where upstream.isSharable {
      upstream.ask(RESPCommand("ROLE")) { [self] reply in
        var greeting = Greeting()
        greeting.learn(role: reply)
        guard !greeting.isLinked else { return }
        logger.warning(
          "A replica does not follow its primary", metadata: ["server": "\(upstream.address)"])
        avoid(upstream.address, as: .reader)
      }
    }
  }
}
