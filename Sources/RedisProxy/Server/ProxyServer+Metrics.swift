import NIOCore
package import PrometheusText

extension ProxyServer {
  /// What the proxy counts, added up over its event loops.
  package func metricFamilies() async -> [MetricFamily] {
    var snapshots: [LaneSnapshot] = []
    for lane in lanes {
      let snapshot = try? await lane.eventLoop.submit { LaneSnapshot(lane.value) }.get()
      if let snapshot { snapshots.append(snapshot) }
    }
    return MetricPage(snapshots).families
  }
}

/// Puts the counts of event loops into families.
struct MetricPage {
  let families: [MetricFamily]

  init(_ snapshots: [LaneSnapshot]) {
    func sum(_ count: (LaneSnapshot) -> Int) -> Double {
      Double(snapshots.reduce(0) { $0 + count($1) })
    }
    func counter(
      _ name: String, _ help: String, _ count: (LaneMetrics) -> Int
    ) -> MetricFamily {
      Self.family(name, .counter, help, [([:], sum { count($0.metrics) })])
    }
    families = [
      Self.family(
        "tcp_connections", .gauge, "Open connections, by peer.",
        [(["peer": "client"], sum(\.clients))]
          + UpstreamRole.allCases.map { role in
            (["peer": role.name], sum { $0.connections[role] ?? 0 })
          }),
      Self.family(
        "tcp_idle_connections", .gauge,
        "Clients without a command under way, and connections that wait for a client to own them.",
        [(["peer": "client"], sum(\.idleClients))]
          + UpstreamRole.allCases.map { role in
            (["peer": role.name], sum { $0.idleConnections[role] ?? 0 })
          }),
      Self.commands(snapshots),
      Self.latency(snapshots),
      Self.family(
        "redis_pending_commands", .gauge, "Commands on shared connections without a reply.",
        UpstreamRole.allCases.map { role in
          (["upstream": role.name], sum { $0.pending[role] ?? 0 })
        }),
      Self.family(
        "redis_pinned_clients", .gauge, "Clients with a connection of their own.",
        [([:], sum(\.pinnedClients))]),
      counter("redis_pins_total", "Times that a client got a connection of its own.", \.pins),
      counter(
        "redis_pool_waits_total", "Times that a client had to wait for a shared connection.",
        \.waits),
      counter("redis_connects_total", "Connections to servers that were made.", \.connects),
      counter(
        "redis_connect_failures_total", "Connections to servers that could not be made.",
        \.connectFailures),
      counter(
        "redis_commands_refused_total", "Commands that found no connection in time.", \.refused),
      counter(
        "redis_commands_lost_total",
        "Commands whose connection was lost before the reply; they may have been executed.",
        \.lost),
      counter(
        "redis_replica_fallbacks_total", "Reads that went to the primary, as no replica was there.",
        \.replicaFallbacks),
      counter(
        "redis_role_lookups_total", "Times that roles were looked up again after a server's error.",
        \.roleLookups),
      counter(
        "redis_slow_clients_total", "Clients closed as they did not read and others had to wait.",
        \.slowClients),
    ]
  }

  private static func commands(_ snapshots: [LaneSnapshot]) -> MetricFamily {
    var all: [String: LaneMetrics.Commands] = [:]
    for snapshot in snapshots {
      for (name, count) in snapshot.commands { all[name, default: .init()].add(count) }
    }
    var samples: [([String: String], Double)] = []
    for (name, count) in all.sorted(by: { $0.key < $1.key }) {
      for (upstream, number) in [
        ("primary", count.primary), ("replica", count.reader), ("proxy", count.own),
      ] where number > 0 {
        samples.append((["cmd": name, "upstream": upstream], Double(number)))
      }
    }
    return family(
      "redis_commands_total", .counter,
      "Commands by name and by who answered.",
      samples)
  }

  private static func latency(_ snapshots: [LaneSnapshot]) -> MetricFamily {
    var family = MetricFamily(
      MetricName(sanitizing: "redis_command_duration_seconds"), .histogram,
      help: "Time from a command's arrival to its server's reply.")
    for role in UpstreamRole.allCases {
      var histogram = LatencyHistogram()
      for snapshot in snapshots {
        histogram.add(
          role == .primary ? snapshot.metrics.primaryLatency : snapshot.metrics.readerLatency)
      }
      family.appendHistogram(
        labels: [MetricLabel(sanitizing: "upstream", role.name)], bounds: LatencyHistogram.bounds,
        counts: histogram.counts, sum: histogram.total)
    }
    return family
  }

  private static func family(
    _ name: String, _ kind: MetricFamily.Kind, _ help: String,
    _ samples: [(labels: [String: String], value: Double)]
  ) -> MetricFamily {
    let name = MetricName(sanitizing: name)
    return MetricFamily(
      name, kind, help: help,
      samples: samples.map { labels, value in
        Sample(
          name,
          labels: labels.sorted { $0.key < $1.key }.map {
            MetricLabel(sanitizing: $0.key, $0.value)
          }, value: value)
      })
  }
}
