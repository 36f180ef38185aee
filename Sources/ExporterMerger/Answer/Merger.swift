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
    _ sources: [Source], reading: any SourceReading, maximumBytes: Int, sourceLabel: String,
    logger: Logger
  ) {
    scraper = Scraper(
      sources, reading: reading, maximumBytes: maximumBytes, sourceLabel: sourceLabel)
    statistics = SourceStatistics(
      sources, labelName: sourceLabel.isEmpty ? MergerConfiguration.sourceLabel : sourceLabel)
    self.sourceLabel = sourceLabel
    self.logger = logger
  }

  /// Scrapes all sources and puts their families together.
  ///
  /// - Parameter timeout: for each source.
  package func merge(for output: NegotiatedFormat, timeout: Duration) async -> MergePlan {
    let scrapes = await scraper.scrape(accept: output.sourceAccept, timeout: timeout)
    var sources: [Source] = []
    var inputs: [MergeInput] = []
    for scrape in scrapes {
      statistics.note(scrape)
      switch scrape.result {
      case .success(let exposition):
        sources.append(scrape.source)
        let label = sourceLabel.isEmpty ? nil : SeriesLabel(sourceLabel, scrape.source.label)
        inputs.append(MergeInput(exposition, label: label))
      case .failure(let failure):
        logger.warning(
          "Source left out",
          metadata: [
            "source": "\(scrape.source.label)", "reason": "\(failure.reason.rawValue)",
            "detail": "\(failure.detail)",
          ])
      }
    }
    let duplicates = sourceLabel.isEmpty ? Self.markDuplicates(&inputs) : []
    // Planned without the merger's own metrics first: they tell what became of the others.
    let conflicts = MergePlan(inputs, for: output).conflicts
    for (number, source) in sources.enumerated() {
      statistics.note(
        conflicts[number], duplicates: duplicates.isEmpty ? 0 : duplicates[number], of: source)
    }
    if let own = own(scrapes) { inputs.append(own) }
    return MergePlan(inputs, for: output)
  }

  private static func markDuplicates(_ inputs: inout [MergeInput]) -> [Int] {
    var expositions = inputs.map(\.exposition)
    inputs = inputs.map { MergeInput($0.exposition, label: $0.label) }
    let counts = SeriesTable.markDuplicates(across: &expositions)
    for index in inputs.indices { inputs[index].exposition = expositions[index] }
    return counts
  }

  /// The merger's own metrics, as if they came from a source.
  private func own(_ scrapes: [Scrape]) -> MergeInput? {
    let bytes = ExpositionEncoder.encode(statistics.families(scrapes))
    do throws(ExpositionError) {
      return MergeInput(try Exposition(parsing: bytes, format: .text), label: nil)
    } catch {
      logger.error("Own metrics left out", metadata: ["error": "\(error)"])
      return nil
    }
  }
}
