import LocalServers
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

/// Scrapers that do not behave.
@Suite struct MergerScraperTests {
  /// Asks for metrics, and reads nothing of the answer by itself.
  private func ask(
    _ merger: RunningMerger, timeout: Int
  ) async throws -> (channel: any Channel, start: EventLoopFuture<String>) {
    let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
    let start = eventLoop.makePromise(of: String.self)
    let channel = try await ClientBootstrap(group: eventLoop)
      .channelOption(.autoRead, value: false)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(FirstBytes(start))
        }
      }
      .connect(host: "127.0.0.1", port: merger.port).get()
    try await channel.writeAndFlush(
      ByteBuffer(
        string: "GET /metrics HTTP/1.1\r\nHost: x\r\n"
          + "X-Prometheus-Scrape-Timeout-Seconds: \(timeout)\r\n\r\n"))
    return (channel, start.futureResult)
  }

  @Test func slowReadersDoNotKeepOthersOut() async throws {
    try await withLocalProcesses { processes in
      let directory = try processes.newDirectory("large")
      var text = ""
      let value = String(repeating: "long ", count: 400)
      for number in 0..<8000 { text += "a{n=\"\(value)\(number)\"} 1\n" }
      try SmallTestFile.write(text, to: directory + "/large.prom")
      let merger = try await RunningMerger.start(
        ["--url", "file:\(directory)/large.prom", "--timeout", "60s"], in: processes)
      var channels: [any Channel] = []
      for _ in 0..<4 {
        let (channel, start) = try await ask(merger, timeout: 40)
        channels.append(channel)
        // No more than the beginning: the place is taken, and stays so.
        channel.read()
        #expect(try await start.get().hasPrefix("HTTP/1.1 200 OK\r\n"))
      }
      let refused = try await merger.get(headers: ["Accept-Encoding": "identity"])
      #expect(refused.status == 503)
      #expect(try await merger.get("/healthz").text == "OK\n")
      // When they have given up long since, nobody is kept out for their sake.
      try await withDeadline(.seconds(120), "there is room again") {
        while try await merger.get(headers: ["Accept-Encoding": "identity"]).status != 200 {
          try await Task.sleep(for: .milliseconds(50))
        }
      }
      #expect(merger.process.output.contains { $0.contains("Scraper too slow") })
      for channel in channels { try? await channel.close() }
    }
  }

  @Test func aScraperThatLeavesIsNoFaultOfTheSources() async throws {
    let hanging = ScriptedSource.Script(bytes: [], closes: false)
    try await ScriptedSource.with([hanging]) { urls in
      try await withLocalProcesses { processes in
        let merger = try await RunningMerger.start(["--url", urls[0]], in: processes)
        let channel = try await ask(merger, timeout: 3600).channel
        try await channel.close()
        let answer = try await merger.get(headers: ["X-Prometheus-Scrape-Timeout-Seconds": "2"])
        let errors = "exporter_merger_source_scrape_errors_total{merger_url=\"\(urls[0])\",reason="
        #expect(answer.text.contains(errors + "\"timeout\"} 1\n"))
        #expect(answer.text.contains(errors + "\"connection\"} 0\n"))
      }
    }
  }
}

/// Tells what came first.
private final class FirstBytes: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let start: EventLoopPromise<String>

  init(_ start: EventLoopPromise<String>) { self.start = start }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    start.succeed(String(buffer: unwrapInboundIn(data)))
  }

  func channelInactive(context: ChannelHandlerContext) { start.fail(ChannelError.eof) }
}
