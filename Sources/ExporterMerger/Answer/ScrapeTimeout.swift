/// How long a source may take.
package struct ScrapeTimeout: Sendable {
  /// What the scraper sends with each request.
  package static let header = "X-Prometheus-Scrape-Timeout-Seconds"

  /// What the configuration says, if anything.
  package let configured: Duration?

  package init(configured: Duration?) { self.configured = configured }

  /// Less than the scraper waits, so that what is there still gets to it.
  ///
  /// - Parameter header: the value of ``header``, if the scraper sent it.
  package func timeout(header: String?) -> Duration {
    let asked = header.flatMap { text -> Duration? in
      guard let seconds = Double(text), seconds > 0, seconds <= 86_400 else { return nil }
      return .nanoseconds(Int64(seconds * 0.9e9))
    }
    switch (configured, asked) {
    case (let configured?, let asked?): return min(configured, asked)
    case (let timeout?, nil), (nil, let timeout?): return timeout
    case (nil, nil): return .seconds(10)
    }
  }
}
