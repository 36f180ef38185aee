import AsyncHTTPClient
import JSON
import LocalServers
import NIOCore
import PrometheusText
import Testing

/// With what people run: Debian's Prometheus, promtool and exporters.
@Suite struct MergerPrometheusTests {
  private static let hint =
    "install prometheus, prometheus-node-exporter and prometheus-redis-exporter (Debian: apt-get "
    + "install)"

  /// Node's and Redis's exporters, and awkward files.
  private func withExporters(
    _ body: @Sendable (LocalProcesses, [String]) async throws -> Void
  ) async throws {
    try await withLocalProcesses { processes in
      let redis = try await RedisServer.start(in: processes)
      let nodePort = try FreePort.next()
      let redisPort = try FreePort.next()
      let node = try await processes.start(
        LocalProcess.Command(
          name: "node-exporter", executable: "prometheus-node-exporter",
          arguments: ["--web.listen-address=127.0.0.1:\(nodePort)"], installHint: Self.hint))
      let exporter = try await processes.start(
        LocalProcess.Command(
          name: "redis-exporter", executable: "prometheus-redis-exporter",
          arguments: [
            "-web.listen-address=127.0.0.1:\(redisPort)", "-redis.addr=redis://\(redis.address)",
          ], installHint: Self.hint))
      let directory = try processes.newDirectory("files")
      try SmallTestFile.write(Self.awkward, to: directory + "/awkward.prom")
      try SmallTestFile.write(Self.openMetrics, to: directory + "/open.metrics")
      let urls = [
        "http://127.0.0.1:\(nodePort)/metrics", "http://127.0.0.1:\(redisPort)/metrics",
      ]
      for (url, process) in zip(urls, [node, exporter]) {
        _ = try await poll("\(url) answers (\(process.output))") {
          try await get(url).contains("# TYPE") ? true : nil
        }
      }
      try await body(
        processes, urls + ["file:\(directory)/awkward.prom", "file:\(directory)/open.metrics"])
    }
  }

  private static let awkward = #"""
    # HELP awkward_value Values and \\ escapes.
    # TYPE awkward_value gauge
    awkward_value{v="nan",path="C:\\DIR",text="a \"b\"\nc é☃"} NaN
    awkward_value{v="inf"} +Inf
    awkward_value{v="minus"} -Inf
    awkward_value{v="exp"} 1.5e-300
    # HELP awkward_seconds A histogram.
    # TYPE awkward_seconds histogram
    awkward_seconds_bucket{le="0.05"} 1
    awkward_seconds_bucket{le="+Inf"} 2
    awkward_seconds_sum 3
    awkward_seconds_count 2
    # HELP awkward_wait_seconds A summary.
    # TYPE awkward_wait_seconds summary
    awkward_wait_seconds{quantile="0.5"} 1
    awkward_wait_seconds_sum 1
    awkward_wait_seconds_count 1
    # HELP merger_labels Has the label already.
    # TYPE merger_labels gauge
    merger_labels{merger_url="own"} 1
    """#

  private static let openMetrics = #"""
    # HELP open_hits With exemplars.
    # TYPE open_hits counter
    open_hits_total{a="b"} 17.0 # {trace_id="KOO5S4vxi0o"} 0.67
    # EOF

    """#

  @Test func promtoolFindsNothingThatItDoesNotFindInTheSources() async throws {
    try await withExporters { processes, urls in
      let merger = try await RunningMerger.start(urls.flatMap { ["--url", $0] }, in: processes)
      var before: Set<String> = []
      for url in urls where url.hasPrefix("http") {
        before.formUnion(try await complaints(of: get(url), in: processes))
      }
      let after = try await complaints(of: merger.get().text, in: processes)
      #expect(after.subtracting(before) == [])
    }
  }

  /// What `promtool check metrics` says, line by line.
  private func complaints(
    of text: String, in processes: LocalProcesses
  ) async throws -> Set<String> {
    let path = try processes.newDirectory("promtool") + "/metrics"
    try SmallTestFile.write(text, to: path)
    let promtool = try await processes.start(
      LocalProcess.Command(
        name: "promtool", executable: "/bin/sh",
        arguments: ["-c", "promtool check metrics < \(path); echo finished"],
        installHint: Self.hint))
    _ = try await promtool.waitForExit()
    #expect(promtool.output.last == "finished")
    return Set(promtool.output.dropLast())
  }

  @Test func prometheusScrapesItWithoutAWarning() async throws {
    try await withExporters { processes, urls in
      let merger = try await RunningMerger.start(urls.flatMap { ["--url", $0] }, in: processes)
      let port = try FreePort.next()
      let directory = try processes.newDirectory("prometheus")
      try SmallTestFile.write(
        """
        global: { scrape_interval: 1s, scrape_timeout: 1s }
        scrape_configs:
        - job_name: merger
          honor_labels: true
          static_configs: [ { targets: [ "127.0.0.1:\(merger.port)" ] } ]

        """, to: directory + "/prometheus.yml")
      let prometheus = try await processes.start(
        LocalProcess.Command(
          name: "prometheus", executable: "prometheus",
          arguments: [
            "--config.file=\(directory)/prometheus.yml", "--storage.tsdb.path=\(directory)/data",
            "--web.listen-address=127.0.0.1:\(port)", "--enable-feature=exemplar-storage",
          ], installHint: Self.hint))
      let api = "http://127.0.0.1:\(port)/api/v1"
      @Sendable func value(_ query: String) async throws -> Double? {
        let escaped = query.utf8.map { byte in
          let isPlain = (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
          let hex = String(byte, radix: 16, uppercase: true)
          return isPlain ? String(Unicode.Scalar(byte)) : (byte < 16 ? "%0" : "%") + hex
        }.joined()
        let answer = try JSONValue(parsing: await get("\(api)/query?query=\(escaped)"))
        let first = answer["data"]?["result"]?.array?.first
        return first?["value"]?.array?.last?.string.flatMap { Double($0) }
      }
      // Several scrapes, all good.
      _ = try await poll("Prometheus has scraped for a while: \(prometheus.output.suffix(5))") {
        (try await value("count_over_time(up[1h])") ?? 0) >= 6 ? true : nil
      }
      #expect(try await value("min_over_time(up[1h])") == 1)
      #expect(try await value("min(exporter_merger_source_up)") == 1)
      // Every series is there.
      let samples = try await value("scrape_samples_scraped")
      let kept = try await value("scrape_samples_post_metric_relabeling")
      #expect(samples == kept)
      #expect((samples ?? 0) > 500)
      #expect(try await value("count({job=\"merger\"}) - 5") == samples)
      #expect(try await value("count(node_cpu_seconds_total) > 0") != nil)
      #expect(try await value("redis_up") == 1)
      #expect(try await value("open_hits_total{a=\"b\"}") == 17)
      #expect(try await value("merger_labels{exported_merger_url=\"own\"}") == 1)
      #expect(try await value("awkward_value{v=\"exp\"}") == 1.5e-300)
      let exemplars = try await get("\(api)/query_exemplars?query=open_hits_total&start=0&end=9e9")
      #expect(exemplars.contains("KOO5S4vxi0o"))
      let warnings = prometheus.output.filter {
        $0.contains("level=warn") || $0.contains("level=error")
      }
      #expect(warnings == [])
      #expect(!merger.process.output.contains { $0.contains("\"warning\"") })
    }
  }
}

/// The body of an answer; throws while there is none.
private func get(_ url: String) async throws -> String {
  let response = try await HTTPClient.shared.execute(
    HTTPClientRequest(url: url), timeout: .seconds(30))
  return String(buffer: try await response.body.collect(upTo: 64 << 20))
}

/// Asks until there is something, or the time is over.
private func poll<Value: Sendable>(
  _ expectation: String, _ check: @escaping @Sendable () async throws -> Value?
) async throws -> Value {
  try await withDeadline(.seconds(90), expectation) {
    while true {
      if let value = try? await check() { return value }
      try await Task.sleep(for: .milliseconds(200))
    }
  }
}
