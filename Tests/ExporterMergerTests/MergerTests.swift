import ExporterMerger
import Logging
import PrometheusText
import Synchronization
import Testing

@Suite struct MergerTests {
  /// Sources in memory.
  private struct Memory: SourceReading {
    var answers: [String: Result<(String, ExpositionFormat), ScrapeFailure>]

    func read(
      _ source: Source, _ request: SourceRequest
    ) async throws(ScrapeFailure) -> SourceAnswer {
      guard let answer = answers[source.label] else {
        // A source that hangs, until it is given up.
        try? await Task.sleep(for: .seconds(3600))
        throw ScrapeFailure(.connection, "gone")
      }
      let (text, format) = try answer.get()
      try request.share.take(text.utf8.count)
      return SourceAnswer(bytes: Array(text.utf8), format: format)
    }
  }

  private func merger(
    _ answers: [String: Result<(String, ExpositionFormat), ScrapeFailure>], label: String = "src",
    budget: ByteBudget = ByteBudget(1 << 28)
  ) -> Merger {
    let sources = Source.all(["file:/a", "file:/b", "file:/c"].compactMap { SourceAddress($0) })
    return Merger(
      sources, reading: Memory(answers: answers), maximumBytes: 1 << 28, budget: budget,
      sourceLabel: label,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  private func text(_ plan: MergePlan) -> String {
    var writer = FamilyWriter(NegotiatedFormat(.text))
    for family in plan.families {
      writer.begin(family.head)
      for selection in family.selections { _ = writer.append(selection, from: nil) }
    }
    return String(decoding: writer.sink.bytes, as: UTF8.self)
  }

  @Test func leavesOutWhatFailsAndSaysSo() async throws {
    let merger = merger([
      "file:/a": .success(("x 1\n", .text)), "file:/b": .success(("x 1\nx\n", .text)),
    ])
    let plan = try await merger.merge(for: NegotiatedFormat(.text), timeout: .milliseconds(300))
    let text = text(plan)
    #expect(text.contains("x{src=\"file:/a\"} 1\n"))
    #expect(!text.contains("x{src=\"file:/b\"}"))
    #expect(text.contains("exporter_merger_source_up{src=\"file:/a\"} 1\n"))
    #expect(text.contains("exporter_merger_source_up{src=\"file:/b\"} 0\n"))
    #expect(text.contains("exporter_merger_source_up{src=\"file:/c\"} 0\n"))
    #expect(text.contains("errors_total{src=\"file:/b\",reason=\"syntax\"} 1\n"))
    #expect(text.contains("errors_total{src=\"file:/c\",reason=\"timeout\"} 1\n"))
    #expect(text.contains("exporter_merger_source_scrape_samples{src=\"file:/a\"} 1\n"))
  }

  @Test func answersWhenAllSourcesAreDown() async throws {
    let failure = ScrapeFailure(.status, "it answered 500")
    let merger = merger([
      "file:/a": .failure(failure), "file:/b": .failure(failure), "file:/c": .failure(failure),
    ])
    _ = try await merger.merge(for: NegotiatedFormat(.text), timeout: .seconds(60))
    let plan = try await merger.merge(for: NegotiatedFormat(.text), timeout: .seconds(60))
    #expect(plan.families.allSatisfy { $0.head.name.hasPrefix("exporter_merger_source_") })
    #expect(text(plan).contains("errors_total{src=\"file:/a\",reason=\"status\"} 2\n"))
  }

  @Test func keepsASeriesOfSeveralSourcesOnceIfNoLabelTellsThemApart() async throws {
    let merger = merger(
      [
        "file:/a": .success(("x 1\ny 1\n", .text)),
        "file:/b": .success(("x 2\nz 1\n# EOF\n", .openMetrics)),
        "file:/c": .success(("x 3\ny{a=\"b\"} 1\n", .text)),
      ], label: "")
    let plan = try await merger.merge(for: NegotiatedFormat(.text), timeout: .seconds(60))
    let text = text(plan)
    #expect(text.contains("# TYPE x untyped\nx 1\n# TYPE y untyped\ny 1\ny{a=\"b\"} 1\n"))
    #expect(text.contains("duplicate_samples_total{merger_url=\"file:/b\"} 1\n"))
    #expect(text.contains("duplicate_samples_total{merger_url=\"file:/c\"} 1\n"))
  }

  @Test func givesUpOnASourceThatTakesTooLongToRead() async throws {
    let long = String(repeating: "a 1\n", count: 2_000_000)
    let merger = merger([
      "file:/a": .success((long, .text)), "file:/b": .success(("x 1\n", .text)),
      "file:/c": .success(("x 1\n", .text)),
    ])
    let plan = try await merger.merge(for: NegotiatedFormat(.text), timeout: .milliseconds(300))
    let text = text(plan)
    #expect(text.contains("errors_total{src=\"file:/a\",reason=\"timeout\"} 1\n"))
    #expect(text.contains("exporter_merger_source_up{src=\"file:/a\"} 0\n"))
  }

  @Test func allAnswersTogetherHoldNoMoreThanAllowed() async throws {
    let text = String(repeating: "x", count: 60)
    let merger = merger(
      [
        "file:/a": .success(("a{b=\"\(text)\"} 1\n", .text)),
        "file:/b": .failure(ScrapeFailure(.status, "it answered 500")),
        "file:/c": .failure(ScrapeFailure(.status, "it answered 500")),
      ], budget: ByteBudget(100))
    let up = "exporter_merger_source_up{src=\"file:/a\"} "
    var first: MergePlan? = try await merger.merge(
      for: NegotiatedFormat(.text), timeout: .seconds(60))
    #expect(first.map { self.text($0) }?.contains(up + "1\n") == true)
    let second = try await merger.merge(for: NegotiatedFormat(.text), timeout: .seconds(60))
    #expect(self.text(second).contains(up + "0\n"))
    #expect(self.text(second).contains("errors_total{src=\"file:/a\",reason=\"too_large\"} 1\n"))
    // The first answer has been given.
    first = nil
    let third = try await merger.merge(for: NegotiatedFormat(.text), timeout: .seconds(60))
    #expect(self.text(third).contains(up + "1\n"))
  }

  @Test func aScraperThatLeavesIsNoFaultOfASource() async throws {
    // Two sources hang.
    let merger = merger(["file:/a": .success(("x 1\n", .text))])
    let task = Task {
      try await merger.merge(for: NegotiatedFormat(.text), timeout: .seconds(3600))
    }
    task.cancel()
    let result = await task.result
    #expect(throws: CancellationError.self) { try result.get() }
    let plan = try await merger.merge(for: NegotiatedFormat(.text), timeout: .milliseconds(300))
    #expect(text(plan).contains("errors_total{src=\"file:/b\",reason=\"timeout\"} 1\n"))
  }

  @Test(arguments: ["src", ""]) func noSourceDecidesWhatTheMergerSays(label: String) async throws {
    let own = label.isEmpty ? "merger_url" : label
    let merger = merger(
      [
        "file:/a": .success(
          (
            "# TYPE exporter_merger_source_up counter\nexporter_merger_source_up{\(own)=\"y\"} 5\n",
            .text
          )),
        "file:/b": .success(
          (
            label.isEmpty
              ? "exporter_merger_source_up{\(own)=\"file:/b\"} 0\n"
              : "exporter_merger_source_up 0\n",
            .text
          )),
        "file:/c": .success(("exporter_merger_source_up{\(own)=\"x\"} 1\n", .text)),
      ], label: label)
    let text = text(
      try await merger.merge(for: NegotiatedFormat(.text), timeout: .seconds(60)))
    #expect(text.contains("# TYPE exporter_merger_source_up gauge\n"))
    for source in ["file:/a", "file:/b", "file:/c"] {
      let line = "exporter_merger_source_up{\(own)=\"\(source)\"} "
      #expect(text.contains(line + "1\n"))
      #expect(!text.contains(line + "0\n"))
    }
    #expect(!text.contains("} 5\n"))
    // Another merger behind this one.
    let other = label.isEmpty ? "\(own)=\"x\"" : "\(own)=\"file:/c\",exported_\(own)=\"x\""
    #expect(text.contains("exporter_merger_source_up{\(other)} 1\n"))
    #expect(text.contains("duplicate_samples_total{\(own)=\"file:/b\"} 1\n"))
    #expect(
      text.contains("conflicting_samples_total{\(own)=\"file:/a\",outcome=\"dropped\"} 1\n"))
  }

  @Test func anAnswerEndsSoonAfterItsScraperHasGivenUp() {
    let timeout = ScrapeTimeout(configured: .seconds(3))
    #expect(timeout.answer(header: "20") == .seconds(25))
    #expect(timeout.answer(header: nil) == .seconds(63))
  }

  @Test(
    arguments: [
      (nil, nil, Duration.seconds(10)), (nil, "20", .seconds(18)), (nil, "0.5", .milliseconds(450)),
      (.seconds(3), nil, .seconds(3)), (.seconds(3), "20", .seconds(3)),
      (.seconds(30), "20", .seconds(18)),
      (nil, "x", .seconds(10)), (nil, "-1", .seconds(10)), (nil, "nan", .seconds(10)),
      (nil, "1e300", .seconds(10)),
    ] as [(Duration?, String?, Duration)])
  func waitsLessThanTheScraper(configured: Duration?, header: String?, timeout: Duration) {
    #expect(ScrapeTimeout(configured: configured).timeout(header: header) == timeout)
  }
}
