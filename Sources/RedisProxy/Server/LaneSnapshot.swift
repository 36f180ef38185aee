import NIOCore

/// The counts of one event loop at one moment.
struct LaneSnapshot: Sendable {
  var metrics: LaneMetrics
  var commands: [String: LaneMetrics.Commands]
  var clients = 0
  var idleClients = 0
  var pinnedClients = 0
  /// By role: open connections to servers, those of them that wait for a client, and commands
  /// without a reply.
  var connections: [UpstreamRole: Int] = [:]
  var idleConnections: [UpstreamRole: Int] = [:]
  var pending: [UpstreamRole: Int] = [:]

  init(_ lane: ProxyLane) {
    metrics = lane.metrics
    commands = lane.formerCommands
    for (index, entry) in lane.table.entries.enumerated() {
      commands[entry.name, default: .init()].add(lane.metrics.commands[index])
    }
    for client in lane.clients.values {
      clients += 1
      if client.order.isEmpty, client.wait == .none { idleClients += 1 }
      if client.own != nil { pinnedClients += 1 }
    }
    for (key, pool) in lane.pools {
      connections[key.role, default: 0] +=
        pool.shared.all.count + pool.own.idle.count + pool.own.lentCount
      idleConnections[key.role, default: 0] += pool.own.idle.count
      pending[key.role, default: 0] += pool.shared.all.reduce(0) { $0 + $1.pendingReplies }
    }
  }
}
