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
    let asked = Self.seconds(header).map { Duration.nanoseconds(Int64($0 * 0.9e9)) }
    return switch (configured, asked) {
    case (let configured?, let asked?): min(configured, asked)
    case (let timeout?, nil), (nil, let timeout?): timeout
    case (nil, nil): .seconds(10)
    }
  }

  /// How long an answer may take, from the request to its last byte: by then whoever asked has given
  /// up, even if he still reads a byte now and then.
  package func answer(header: String?) -> Duration {
    if let asked = Self.seconds(header) { return .nanoseconds(Int64(asked * 1e9)) + .seconds(5) }
    return timeout(header: nil) + .seconds(60)
  }

  private static func seconds(_ header: String?) -> Double? {
    guard let header, let seconds = Double(header), seconds > 0, seconds <= 86_400 else {
      return nil
    }
    return seconds
  }
}
