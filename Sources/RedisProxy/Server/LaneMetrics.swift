import NIOCore

/// What one event loop counts. Nothing is shared while commands pass: a scrape adds the event loops
/// up.
struct LaneMetrics: Sendable {
  /// Commands of one name, by where they went.
  struct Commands: Sendable {
    var primary: UInt64 = 0
    var reader: UInt64 = 0
    /// Answered by the proxy.
    var own: UInt64 = 0
  }

  /// By the index of the command table.
  var commands: [Commands] = []
  var primaryLatency = LatencyHistogram()
  var readerLatency = LatencyHistogram()
  var connects = 0
  var connectFailures = 0
  var pins = 0
  var waits = 0
  /// Commands without a connection in time.
  var refused = 0
  /// Commands without a reply.
  var lost = 0
  var replicaFallbacks = 0
  var roleLookups = 0
  /// Clients closed as others waited for them to read.
  var slowClients = 0

  @inline(__always)
  mutating func count(_ index: Int, _ role: UpstreamRole) {
    switch role {
    case .primary: commands[index].primary += 1
    case .reader: commands[index].reader += 1
    }
  }

  @inline(__always)
  mutating func replied(_ role: UpstreamRole, after duration: TimeAmount) {
    switch role {
    case .primary: primaryLatency.record(duration)
    case .reader: readerLatency.record(duration)
    }
  }
}
