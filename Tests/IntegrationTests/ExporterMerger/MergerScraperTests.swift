import LocalServers
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

/// Scrapers that do not behave.
@Suite struct MergerScraperTests {
  /// Asks for metrics and reads nothing of the answer.
  private func ask(_ merger: RunningMerger, timeout: Int) async throws -> any Channel {
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelOption(.autoRead, value: false)
      .connect(host: "127.0.0.1", port: merger.port).get()
    try await channel.writeAndFlush(
      ByteBuffer(
        string: "GET /metrics HTTP/1.1\r\nHost: x\r\n"
          + "X-Prometheus-Scrape-Timeout-Seconds: \(timeout)\r\n\r\n"))
    return channel
  }

  private func status(_ merger: RunningMerger, until wanted: UInt) async throws {
    try await withDeadline(.seconds(60), "an answer has the status \(wanted)") {
      while try await merger.get(headers: ["Accept-Encoding": "identity"]).status != wanted {
        try await Task.sleep(for: .milliseconds(50))
      }
    }
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
      for _ in 0..<4 { channels.append(try await ask(merger, timeout: 15)) }
      // All places are taken.
      try await status(merger, until: 503)
      #expect(try await merger.get("/healthz").text == "OK\n")
      // They have given up long since; nobody is kept out for their sake.
      try await status(merger, until: 200)
      #expect(merger.process.output.contains { $0.contains("Scraper too slow") })
      for channel in channels { try? await channel.close() }
    }
  }

  @Test func aScraperThatLeavesIsNoFaultOfTheSources() async throws {
    let hanging = ScriptedSource.Script(bytes: [], closes: false)
    try await ScriptedSource.with([hanging]) { urls in
      try await withLocalProcesses { processes in
        let merger = try await RunningMerger.start(["--url", urls[0]], in: processes)
        let channel = try await ask(merger, timeout: 3600)
        try await channel.close()
        let answer = try await merger.get(headers: ["X-Prometheus-Scrape-Timeout-Seconds": "2"])
        let errors = "exporter_merger_source_scrape_errors_total{merger_url=\"\(urls[0])\",reason="
        #expect(answer.text.contains(errors + "\"timeout\"} 1\n"))
        #expect(answer.text.contains(errors + "\"connection\"} 0\n"))
      }
    }
  }
}
