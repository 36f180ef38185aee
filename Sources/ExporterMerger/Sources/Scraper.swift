import NIOCore
import PrometheusText

/// Asks all sources at once.
package struct Scraper: Sendable {
  package let sources: [Source]
  private let reading: any SourceReading
  private let maximumBytes: Int
  private let budget: ByteBudget
  private let sourceLabel: String

  /// - Parameters:
  ///   - sourceLabel: the name of the label that samples will get; empty: none.
  package init(
    _ sources: [Source], reading: any SourceReading, maximumBytes: Int, budget: ByteBudget,
    sourceLabel: String
  ) {
    self.sources = sources
    self.reading = reading
    self.maximumBytes = maximumBytes
    self.budget = budget
    self.sourceLabel = sourceLabel
  }

  /// One scrape for each source, in their order: when the timeout is over, sources that have not
  /// been read to the end are left out. A source that is read as a file is not interrupted.
  ///
  /// If the task is cancelled, the scrapes say nothing about the sources.
  package func scrape(accept: String, timeout: Duration) async -> [Scrape] {
    await withTaskGroup(of: (Int, Scrape).self) { group in
      for (number, source) in sources.enumerated() {
        // Reading bytes is work, which no connection's event loop should wait for.
        group.addTask(executorPreference: globalConcurrentExecutor) {
          (number, await scrape(source, accept: accept, timeout: timeout))
        }
      }
      var scrapes: [Scrape?] = sources.map { _ in nil }
      for await (number, scrape) in group { scrapes[number] = scrape }
      return scrapes.compactMap { $0 }
    }
  }

  private func scrape(_ source: Source, accept: String, timeout: Duration) async -> Scrape {
    let start = ContinuousClock.now
    var limits = ExpositionLimits()
    limits.deadline = start + timeout
    // Each sample costs as much again as these bytes, half of it while the source is read.
    limits.samples = min(limits.samples, max(100_000, maximumBytes / 32))
    let share = budget.share()
    let result: Result<Exposition, ScrapeFailure>
    do throws(ScrapeFailure) {
      let answer = try await read(
        source, accept: accept, timeout: timeout, share: share)
      do throws(ExpositionError) {
        result = .success(
          try Exposition(
            parsing: answer.bytes, format: answer.format, reservedLabel: sourceLabel,
            limits: limits))
      } catch {
        throw ScrapeFailure(error == .late ? .timeout : .syntax, "\(error)")
      }
    } catch {
      result = .failure(error)
    }
    return Scrape(
      source: source, duration: (ContinuousClock.now - start).inSeconds, result: result,
      share: share)
  }

  /// Reads a source, or gives up when the time is over, whatever the source does.
  private func read(
    _ source: Source, accept: String, timeout: Duration, share: ByteShare
  ) async throws(ScrapeFailure) -> SourceAnswer {
    let request = SourceRequest(
      accept: accept, maximumBytes: maximumBytes, share: share,
      deadline: .now() + .nanoseconds(Int64(timeout.inSeconds * 1e9)),
      timeout: timeout.inSeconds)
    let result = await withTaskGroup(of: Result<SourceAnswer, ScrapeFailure>?.self) { group in
      group.addTask {
        do throws(ScrapeFailure) {
          return .success(try await reading.read(source, request))
        } catch {
          return .failure(error)
        }
      }
      group.addTask {
        try? await Task.sleep(for: timeout)
        return nil
      }
      let first = await group.next()
      group.cancelAll()
      return first ?? nil
    }
    guard let result else {
      throw ScrapeFailure(
        .timeout, "the answer was not whole after \(timeout.inSeconds) s")
    }
    return try result.get()
  }
}

extension Duration {
  var inSeconds: Double {
    let (seconds, attoseconds) = components
    return Double(seconds) + Double(attoseconds) / 1e18
  }
}
