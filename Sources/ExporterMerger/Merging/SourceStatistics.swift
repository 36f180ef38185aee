package import PrometheusText
import Synchronization

/// What the merger says about its sources, in the same answer as their metrics.
package final class SourceStatistics: Sendable {
  private struct Totals {
    var errors: [ScrapeFailure.Reason: Int] = [:]
    var duplicates = 0
    var conflicts = MergeConflicts()
  }

  private let labelName: String
  private let totals: Mutex<[String: Totals]>

  /// - Parameter labelName: of the label with the source's name.
  package init(_ sources: [Source], labelName: String) {
    self.labelName = labelName
    totals = Mutex(
      Dictionary(uniqueKeysWithValues: sources.map { ($0.label, Totals()) }))
  }

  /// Counts what was found when a source was read.
  package func note(_ scrape: Scrape) {
    totals.withLock { totals in
      switch scrape.result {
      case .success(let exposition):
        totals[scrape.source.label]?.duplicates += exposition.duplicates
      case .failure(let failure):
        totals[scrape.source.label]?.errors[failure.reason, default: 0] += 1
      }
    }
  }

  /// Counts what did not fit together.
  package func note(_ conflicts: MergeConflicts, duplicates: Int, of source: Source) {
    totals.withLock { totals in
      totals[source.label]?.conflicts.kept += conflicts.kept
      totals[source.label]?.conflicts.dropped += conflicts.dropped
      totals[source.label]?.duplicates += duplicates
    }
  }

  /// The metrics about the sources of an answer.
  package func families(_ scrapes: [Scrape]) -> [MetricFamily] {
    let totals = totals.withLock { $0 }
    var up = Family("up", .gauge, "1 if the source's metrics are in this answer.", labelName)
    var duration = Family(
      "scrape_duration_seconds", .gauge, "Time until the source was read.", labelName)
    var samples = Family(
      "scrape_samples", .gauge, "Samples that the source gave, duplicates not counted.", labelName)
    var errors = Family(
      "scrape_errors_total", .counter, "Answers without the source, by reason.", labelName)
    var duplicates = Family(
      "duplicate_samples_total", .counter, "Samples whose series was there already.", labelName)
    var conflicts = Family(
      "conflicting_samples_total", .counter,
      "Samples of another type than their family has from another source, by what became of them.",
      labelName)
    for scrape in scrapes {
      let label = scrape.source.label
      let exposition = try? scrape.result.get()
      up.add(label, exposition == nil ? 0 : 1)
      duration.add(label, scrape.duration)
      samples.add(label, Double(exposition?.sampleCount ?? 0))
      let total = totals[label] ?? Totals()
      for reason in ScrapeFailure.Reason.allCases {
        errors.add(label, Double(total.errors[reason] ?? 0), ("reason", reason.rawValue))
      }
      duplicates.add(label, Double(total.duplicates))
      conflicts.add(label, Double(total.conflicts.kept), ("outcome", "kept"))
      conflicts.add(label, Double(total.conflicts.dropped), ("outcome", "dropped"))
    }
    return [up, duration, samples, errors, duplicates, conflicts].map(\.family)
  }
}

private struct Family {
  var family: MetricFamily
  private let name: MetricName
  private let labelName: String

  init(_ name: String, _ kind: MetricFamily.Kind, _ help: String, _ labelName: String) {
    self.name = MetricName(sanitizing: "exporter_merger_source_" + name)
    self.labelName = labelName
    family = MetricFamily(self.name, kind, help: help)
  }

  mutating func add(_ source: String, _ value: Double, _ more: (String, String)? = nil) {
    var labels = [MetricLabel(sanitizing: labelName, source)]
    if let (name, value) = more { labels.append(MetricLabel(sanitizing: name, value)) }
    family.samples.append(Sample(name, labels: labels, value: value))
  }
}
