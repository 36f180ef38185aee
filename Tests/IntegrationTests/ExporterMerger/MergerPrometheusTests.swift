import LocalServers
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
        _ = try await obtain("\(url) answers (\(process.output))") {
          try await fetch(url).contains("# TYPE") ? true : nil
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
        before.formUnion(try await complaints(of: fetch(url), in: processes))
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
      let prometheus = try await RunningPrometheus.start(
        [.init("merger", ports: [merger.port], honorsLabels: true)], in: processes)
      try await prometheus.scrapes(6)
      #expect(try await prometheus.value("min_over_time(up[1h])") == 1)
      #expect(try await prometheus.value("min(exporter_merger_source_up)") == 1)
      let samples = try await prometheus.value("scrape_samples_scraped")
      let kept = try await prometheus.value("scrape_samples_post_metric_relabeling")
      #expect(samples == kept)
      #expect((samples ?? 0) > 500)
      #expect(try await prometheus.value("count({job=\"merger\"}) - 5") == samples)
      #expect(try await prometheus.value("count(node_cpu_seconds_total) > 0") != nil)
      #expect(try await prometheus.value("redis_up") == 1)
      #expect(try await prometheus.value("open_hits_total{a=\"b\"}") == 17)
      #expect(try await prometheus.value("merger_labels{exported_merger_url=\"own\"}") == 1)
      #expect(try await prometheus.value("awkward_value{v=\"exp\"}") == 1.5e-300)
      let exemplars = try await prometheus.get(
        "query_exemplars?query=open_hits_total&start=0&end=9e9")
      #expect(exemplars.contains("KOO5S4vxi0o"))
      #expect(prometheus.warnings == [])
      #expect(!merger.process.output.contains { $0.contains("\"warning\"") })
    }
  }

  /// In the text formats, and in protobuf, which Prometheus asks for if it takes native histograms.
  @Test(arguments: [[], ["--enable-feature=native-histograms"]])
  func everySeriesIsThatOfADirectScrape(options: [String]) async throws {
    let scripts: [ScriptedSource.Script] = [
      .answer(Self.awkward + "\n"),
      .answer(
        Array(Self.openMetrics.utf8), type: "application/openmetrics-text; version=1.0.0"),
      .answer(
        NativeHistogram.bytes,
        type: "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
          + "encoding=delimited"),
    ]
    try await withExporters { processes, exporters in
      try await ScriptedSource.with(scripts) { urls in
        // Whoever asks for text does not get protobuf.
        let fixed = options.isEmpty ? Array(urls.dropLast()) : urls
        let exporters = exporters.filter { $0.hasPrefix("http") }
        let sources = exporters + fixed
        let merger = try await RunningMerger.start(
          sources.flatMap { ["--url", $0] }, in: processes)
        let ports = sources.compactMap {
          Int($0.drop { $0 != "1" }.drop { $0 != ":" }.dropFirst().prefix { $0 != "/" })
        }
        let prometheus = try await RunningPrometheus.start(
          [
            .init("merger", ports: [merger.port], honorsLabels: true),
            .init("direct", ports: ports, honorsLabels: true),
          ], options: options, in: processes)
        try await prometheus.scrapes(4)
        for (url, port) in zip(sources, ports) {
          // What an exporter says may change between two scrapes; then the next ones are the same.
          let isFixed = fixed.contains(url)
          do {
            _ = try await obtain("the series of \(url) are the same") {
              let (direct, merged) = try await prometheus.series(
                port: port, source: url, withValues: isFixed)
              return direct == merged && !direct.isEmpty ? true : nil
            }
          } catch {
            let (direct, merged) = try await prometheus.series(
              port: port, source: url, withValues: isFixed)
            Issue.record(
              "\(url) lost \(direct.subtracting(merged)), invented \(merged.subtracting(direct))")
          }
        }
        if !options.isEmpty {
          let labels = "{job=\"merger\",path=\"/x\"}"
          #expect(try await prometheus.value("histogram_count(native_seconds\(labels))") == 12)
          #expect(try await prometheus.value("histogram_sum(native_seconds\(labels))") == 3.5)
        }
        #expect(prometheus.warnings == [])
        #expect(!merger.process.output.contains { $0.contains("\"warning\"") })
      }
    }
  }
}

/// A histogram `native_seconds` with native buckets for `/x` and classic ones for `/y`.
private enum NativeHistogram {
  static let bytes: [UInt8] = {
    let hex = """
      c8010a0e6e61746976655f7365636f6e6473121341206e617469766520686973746f6772616d2e1804226a0a0a0a\
      047061746812022f783a5c080c110000000000000c40280631000000000000f03738026204080310026204080210\
      016a030801007a0c0880e2cfaa061080cab5ee018201220a0f0a0874726163655f69641203616263116666666666\
      66e63f1a060881e2cfaa0622330a0a0a047061746812022f793a25080311000000000000f83f1a0b080111000000\
      000000e03f1a0b080311000000000000f07f
      """
    var digits = hex[...]
    var bytes: [UInt8] = []
    while !digits.isEmpty {
      bytes.append(UInt8(digits.prefix(2), radix: 16) ?? 0)
      digits = digits.dropFirst(2)
    }
    return bytes
  }()
}
