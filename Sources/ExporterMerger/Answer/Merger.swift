package import Logging
package import PrometheusText

/// Makes one answer of the metrics of all sources.
package struct Merger: Sendable {
  private let scraper: Scraper
  private let statistics: SourceStatistics
  private let sourceLabel: String
  private let logger: Logger

  /// - Parameter sourceLabel: the name of the label that tells sources apart; empty: samples get
  ///   none, and a series that several sources have comes from the first.
  package init(
    _ sources: [Source], reading: any SourceReading, maximumBytes: Int, budget: ByteBudget,
    sourceLabel: String, logger: Logger
  ) {
    scraper = Scraper(
      sources, reading: reading, maximumBytes: maximumBytes, budget: budget,
      sourceLabel: sourceLabel)
    statistics = SourceStatistics(
      sources, labelName: sourceLabel.isEmpty ? MergerConfiguration.sourceLabel : sourceLabel)
    self.sourceLabel = sourceLabel
    self.logger = logger
  }

  /// Scrapes all sources and puts their families together.
  ///
  /// - Parameter timeout: for each source.
  /// - Throws: if the task is cancelled: nobody waits for the answer, and what the sources would have
  ///   said is not known.
  package func merge(
    for output: NegotiatedFormat, timeout: Duration
  ) async throws(CancellationError) -> MergePlan {
    let scrapes = await scraper.scrape(accept: output.sourceAccept, timeout: timeout)
    if Task.isCancelled { throw CancellationError() }
    scrapes.forEach(note)
    // The merger's own come first, so that no source decides what they are.
    var inputs = own(scrapes).map { [MergeInput($0, label: nil)] } ?? []
    let first = inputs.count
    var sources: [Source] = []
    for scrape in scrapes {
      guard case .success(let exposition) = scrape.result else { continue }
      sources.append(scrape.source)
      let label = sourceLabel.isEmpty ? nil : SeriesLabel(sourceLabel, scrape.source.label)
      inputs.append(MergeInput(exposition, label: label, share: scrape.share))
    }
    let duplicates = markDuplicates(&inputs, from: first)
    let plan = MergePlan(inputs, for: output)
    var isNews = false
    for (number, source) in sources.enumerated() {
      let conflicts = plan.conflicts[first + number]
      if conflicts == MergeConflicts(), duplicates[number] == 0 { continue }
      statistics.note(conflicts, duplicates: duplicates[number], of: source)
      isNews = true
    }
    guard isNews, first > 0, let own = own(scrapes) else { return plan }
    inputs[0].exposition = own
    return MergePlan(inputs, for: output)
  }

  private func note(_ scrape: Scrape) {
    statistics.note(scrape)
    guard case .failure(let failure) = scrape.result else { return }
    logger.warning(
      "Source left out",
      metadata: [
        "source": "\(scrape.source.label)", "reason": "\(failure.reason.rawValue)",
        "detail": "\(failure.detail)",
      ])
  }

  /// Marks series of sources that the merger has itself, or that no label tells apart.
  ///
  /// - Returns: how many samples were marked of each source.
  private func markDuplicates(_ inputs: inout [MergeInput], from first: Int) -> [Int] {
    var counts = inputs[first...].map { _ in 0 }
    if first > 0 {
      let own = inputs[0].exposition
      for index in counts.indices {
        let label = inputs[first + index].label
        counts[index] = inputs[first + index].exposition.markSeries(of: own, label: label)
      }
    }
    guard sourceLabel.isEmpty else { return counts }
    var expositions = inputs[first...].map(\.exposition)
    // Only if nobody waits for the answer any more.
    guard let found = try? SeriesTable.markDuplicates(across: &expositions) else { return counts }
    for index in counts.indices {
      inputs[first + index].exposition = expositions[index]
      counts[index] += found[index]
    }
    return counts
  }

  /// The merger's own metrics, as if they came from a source.
  private func own(_ scrapes: [Scrape]) -> Exposition? {
    let bytes = ExpositionEncoder.encode(statistics.families(scrapes))
    do throws(ExpositionError) {
      return try Exposition(parsing: bytes, format: .text)
    } catch {
      if error != .late { logger.error("Own metrics left out", metadata: ["error": "\(error)"]) }
      return nil
    }
  }
}
