import Gzip
package import HTTPServing
package import Logging
import NIOCore
import NIOHTTP1
import PrometheusText
import Synchronization

/// Answers `GET /metrics` and `GET /healthz`.
package final class MergerEndpoint: Sendable {
  /// How many answers are made at one time; each holds what all sources sent.
  static let concurrentAnswers = 4

  private let merger: Merger
  private let timeout: ScrapeTimeout
  private let logger: Logger
  private let answers = Atomic<Int>(0)

  package init(_ merger: Merger, timeout: ScrapeTimeout, logger: Logger) {
    self.merger = merger
    self.timeout = timeout
    self.logger = logger
  }

  package func respond(_ exchange: HTTPExchange) async throws {
    let path = exchange.request.uri.prefix { $0 != "?" }
    guard exchange.request.method == .GET || exchange.request.method == .HEAD else {
      return try await text("only GET and HEAD are allowed\n", .methodNotAllowed, exchange)
    }
    switch path {
    case "/metrics": try await metrics(exchange)
    case "/healthz": try await text("OK\n", .ok, exchange)
    default: try await text("not found: there are /metrics and /healthz\n", .notFound, exchange)
    }
  }

  private func text(
    _ text: String, _ status: HTTPResponseStatus, _ exchange: HTTPExchange
  ) async throws {
    var head = HTTPAnswerHead(status)
    head.add("content-type", "text/plain; charset=utf-8")
    if status == .methodNotAllowed { head.add("allow", "GET, HEAD") }
    try await exchange.answer(head, ByteBuffer(string: text))
  }

  private func metrics(_ exchange: HTTPExchange) async throws {
    defer { answers.subtract(1, ordering: .relaxed) }
    guard answers.add(1, ordering: .relaxed).newValue <= Self.concurrentAnswers else {
      logger.warning("Too many scrapes at one time, one was refused")
      return try await text("too many scrapes at one time\n", .serviceUnavailable, exchange)
    }
    let headers = exchange.request.headers
    let output = NegotiatedFormat(accept: Self.all("accept", headers))
    let isPacked = Self.acceptsGzip(Self.all("accept-encoding", headers))
    var head = HTTPAnswerHead(.ok)
    head.add("content-type", output.contentType)
    head.add("vary", "accept, accept-encoding")
    if isPacked { head.add("content-encoding", "gzip") }
    if exchange.request.method == .HEAD {
      try exchange.begin(head, length: nil)
      return try await exchange.finish()
    }
    let asked = headers.first(name: ScrapeTimeout.header)
    let end = ContinuousClock.now + timeout.answer(header: asked)
    let answer = try await answer(
      output, isPacked: isPacked, timeout: timeout.timeout(header: asked))
    try exchange.begin(head, length: nil)
    try await write(answer, exchange, until: end)
  }

  /// Work for no event loop.
  private func answer(
    _ output: NegotiatedFormat, isPacked: Bool, timeout: Duration
  ) async throws -> MergedAnswer {
    try await withTaskExecutorPreference(globalConcurrentExecutor) {
      let plan = try await merger.merge(for: output, timeout: timeout)
      return MergedAnswer(plan, output, gzip: isPacked ? try GzipWriter() : nil)
    }
  }

  /// Writes one piece while the next is being made; at the end of the time the connection is closed,
  /// so that slow readers do not keep others out.
  private func write(
    _ answer: MergedAnswer, _ exchange: HTTPExchange, until end: ContinuousClock.Instant
  ) async throws {
    let channel = exchange.channel
    try await withThrowingTaskGroup(of: ByteBuffer?.self) { group in
      group.addTask { [logger] in
        guard (try? await Task.sleep(until: end)) != nil else { return nil }
        logger.warning("Scraper too slow, its answer was broken off")
        channel.close(promise: nil)
        return nil
      }
      group.addTask(executorPreference: globalConcurrentExecutor) { await answer.next() }
      while let piece = try await group.next() ?? nil {
        group.addTask(executorPreference: globalConcurrentExecutor) { await answer.next() }
        try await exchange.write(piece)
      }
      try await exchange.finish()
      group.cancelAll()
    }
  }

  private static func all(_ name: String, _ headers: HTTPHeaders) -> String {
    headers[name].joined(separator: ",")
  }

  static func acceptsGzip(_ header: String) -> Bool {
    header.split(separator: ",").prefix(64).contains { entry in
      let parts = entry.split(separator: ";").map { part in
        part.filter { $0 != " " && $0 != "\t" }.lowercased()
      }
      guard parts.first == "gzip" || parts.first == "x-gzip" else { return false }
      let quality = parts.dropFirst().first { $0.hasPrefix("q=") }?.dropFirst(2)
      return quality.flatMap { Double($0) } != 0
    }
  }
}
