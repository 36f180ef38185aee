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

  /// A connection to the same server that can be asked something.
  private func peer(of upstream: Upstream) -> Upstream? {
    if upstream.owner == nil { return upstream.isOpen ? upstream : nil }
    for pool in pools.values where pool.key.role == upstream.key.role {
      if let peer = pool.shared.all.first(where: { $0.address == upstream.address && $0.isSharable }
      ) {
        return peer
      }
    }
    return nil
  }

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
    guard let shared = pools[UpstreamKey(role: .reader)]?.shared else { return }
    for upstream in shared.all where upstream.isSharable {
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
