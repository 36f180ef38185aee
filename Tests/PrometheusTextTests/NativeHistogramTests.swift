import PrometheusText
import Testing

/// An invalid native histogram would cost a scraper the whole answer.
@Suite struct NativeHistogramTests {
  private typealias Change = @Sendable (inout Message) -> Void

  /// Counts 4, 3, 3 in two spans above zero, 2 at zero.
  private func error(
    count: Int = 12, sum: Double = 1, schema: Int = 3, _ change: Change? = nil
  ) -> ExpositionError? {
    let histogram = Message {
      $0.add(1, count)
      $0.add(2, sum)
      $0.add(5, signed: schema)
      if let change { return change(&$0) }
      $0.add(7, 2)
      span(&$0, -2, 2)
      span(&$0, 1, 1)
      for delta: Int in [4, -1, 0] { $0.add(13, signed: delta) }
    }
    let bytes = Message.exposition(.family("h", type: 4, Message { $0.add(7, histogram) }))
    do throws(ExpositionError) {
      _ = try Exposition(parsing: bytes, format: .protobuf)
      return nil
    } catch {
      return error
    }
  }

  private func span(_ histogram: inout Message, _ offset: Int, _ length: Int) {
    histogram.add(12) {
      $0.add(1, signed: offset)
      $0.add(2, length)
    }
  }

  @Test func takesSoundOnes() {
    #expect(error() == nil)
    // What is no number is in no bucket.
    #expect(error(count: 14, sum: .nan) == nil)
    #expect(error { _ in } == nil)
    #expect(
      error(count: 0) {
        $0.add(4, 2.5)
        span(&$0, 0, 2)
        $0.add(14, 1.0)
        $0.add(14, 1.5)
      } == nil)
  }

  @Test func refusesThoseWhoseCountsDoNotFit() {
    #expect(error(count: 11)?.reason.contains("count") == true)
    #expect(error(count: 14)?.reason.contains("count") == true)
    #expect(error(count: 11, sum: .nan)?.reason.contains("count") == true)
    #expect(
      error(count: .min) {
        span(&$0, 0, 3)
        for delta: Int in [.max, 0, 0] { $0.add(13, signed: delta) }
      }?.reason.contains("range") == true)
  }

  @Test func refusesUnknownSchemas() {
    for schema: Int in [-5, 9, -53, .max, .min] {
      #expect(error(schema: schema)?.reason.contains("schema") == true)
    }
  }

  @Test func refusesSpansThatDoNotFitTheBuckets() {
    #expect(
      error(count: 4) {
        span(&$0, 0, 2)
        $0.add(13, signed: 4)
      }?.reason.contains("spans") == true)
    #expect(error(count: 4) { $0.add(13, signed: 4) }?.reason.contains("spans") == true)
    #expect(
      error(count: 4) {
        span(&$0, 0, .max)
        $0.add(13, signed: 4)
      }?.reason.contains("range") == true)
    #expect(
      error(count: 4) {
        span(&$0, 3, 1)
        span(&$0, -1, 0)
        $0.add(13, signed: 4)
      }?.reason.contains("lies before") == true)
  }

  @Test func refusesNegativeBuckets() {
    #expect(
      error(count: 0) {
        span(&$0, 0, 2)
        $0.add(13, signed: 1)
        $0.add(13, signed: -2)
      }?.reason.contains("negative") == true)
    #expect(
      error(count: 0) {
        $0.add(4, 1.0)
        span(&$0, 0, 1)
        $0.add(14, -1.0)
      }?.reason.contains("negative") == true)
  }
}
