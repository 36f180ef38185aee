/// Decides which traces are recorded.
///
/// See `OTEL_TRACES_SAMPLER` of
/// https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/.
package struct TraceSampler: Hashable, Sendable {
  /// The names that the environment variable takes.
  package enum Kind: String, CaseIterable, Sendable {
    case alwaysOn = "always_on"
    case alwaysOff = "always_off"
    case ratio = "traceidratio"
    case parentAlwaysOn = "parentbased_always_on"
    case parentAlwaysOff = "parentbased_always_off"
    case parentRatio = "parentbased_traceidratio"
  }

  private let kind: Kind

  /// Trace ids whose lower 63 bits are below this are recorded.
  private let bound: UInt64

  /// - Parameter ratio: of traces that are recorded, from 0 to 1; for the kinds that have one.
  package init(_ kind: Kind, ratio: Double = 1) {
    self.kind = kind
    let limit = Double(1 << 62) * 2
    bound = UInt64(min(max(ratio, 0), 1) * limit)
  }

  /// - Parameter parent: the trace that the caller is in, `nil` at the start of one.
  func records(_ trace: TraceID, parent: TraceContext?) -> Bool {
    switch kind {
    case .alwaysOn: true
    case .alwaysOff: false
    case .ratio: isWithinRatio(trace)
    case .parentAlwaysOn: parent?.isSampled ?? true
    case .parentAlwaysOff: parent?.isSampled ?? false
    case .parentRatio: parent?.isSampled ?? isWithinRatio(trace)
    }
  }

  private func isWithinRatio(_ trace: TraceID) -> Bool { trace.low & (1 << 63 - 1) < bound }
}
