import Testing

@testable import ServiceKit

@Suite struct TraceSamplerTests {
  private func trace(_ low: UInt64) throws -> TraceID { try #require(TraceID(high: 1, low: low)) }

  private func parent(isSampled: Bool) throws -> TraceContext {
    TraceContext(
      traceID: try trace(1), spanID: try #require(SpanID(1)), isSampled: isSampled)
  }

  @Test func followsTheParentIfThereIsOne() throws {
    for (kind, root) in [
      (TraceSampler.Kind.parentAlwaysOn, true), (.parentAlwaysOff, false), (.parentRatio, false),
    ] {
      let sampler = TraceSampler(kind, ratio: 0)
      #expect(sampler.records(try trace(1), parent: nil) == root)
      #expect(sampler.records(try trace(1), parent: try parent(isSampled: true)))
      #expect(!sampler.records(try trace(1), parent: try parent(isSampled: false)))
    }
  }

  @Test func othersDoNot() throws {
    #expect(TraceSampler(.alwaysOn).records(try trace(1), parent: try parent(isSampled: false)))
    #expect(!TraceSampler(.alwaysOff).records(try trace(1), parent: try parent(isSampled: true)))
  }

  @Test func aRatioDecidesByTheTraceAlone() throws {
    let half = TraceSampler(.ratio, ratio: 0.5)
    #expect(half.records(try trace(0x3fff_ffff_ffff_ffff), parent: nil))
    #expect(!half.records(try trace(0x4000_0000_0000_0000), parent: nil))
    #expect(half.records(try trace(0x8000_0000_0000_0000), parent: nil))
    let all = TraceSampler(.ratio, ratio: 1)
    #expect(all.records(try trace(.max), parent: nil))
    #expect(!TraceSampler(.ratio, ratio: 0).records(try trace(1 << 63), parent: nil))
  }
}
