import LocalServers
import NIOCore
import NIOHTTP1
import PrometheusText
import Testing

@Suite struct MergerFaultTests {
  private typealias Script = ScriptedSource.Script

  /// 300 MB of zeros in 300 kB.
  private func zeros() async throws -> [UInt8] {
    try await withLocalProcesses { processes in
      let directory = try processes.newDirectory("bomb")
      let process = try await processes.start(
        LocalProcess.Command(
          name: "gzip", executable: "/bin/sh",
          arguments: ["-c", "head -c 300000000 /dev/zero | gzip -9 > \(directory)/bomb"]))
      #expect(try await process.waitForExit() == .exited(0))
      return try SmallTestFile.read(directory + "/bomb")
    }
  }

  @Test func aBrokenSourceNeverTakesTheOthersDown() async throws {
    let good = "# TYPE good gauge\ngood{a=\"b\"} 1\n"
    let scripts: [(Script, String?)] = [
      (.answer(good), nil),
      (Script(bytes: [], closes: false), "timeout"),
      (
        Script(
          bytes: Array("HTTP/1.1 200 OK\r\ncontent-length: 9999999\r\n\r\n\(good)".utf8),
          drip: .milliseconds(50)), "timeout"
      ),
      (.answer(Array(good.utf8), length: 500_000), "connection"),
      (.answer(Array(good.utf8), status: "500 Internal Server Error"), "status"),
      (
        .answer(Array("<html><body>a page</body></html>".utf8), type: "text/html"), "syntax"
      ),
      (.answer(try await zeros(), more: "content-encoding: gzip\r\n"), "too_large"),
      (.answer(Array(good.utf8), more: "content-encoding: gzip\r\n"), "encoding"),
      (.answer(Array(good.utf8), more: "content-encoding: br\r\n"), "encoding"),
      (.answer([], length: 999_999_999_999), "too_large"),
      (Script(bytes: Array("no HTTP at all\r\n\r\n".utf8)), "connection"),
      (Script(bytes: []), "connection"),
      (.answer(Array(good.utf8), type: "application/openmetrics-text"), "syntax"),
      (.answer(Array(good.utf8), type: "application/vnd.google.protobuf"), "syntax"),
      (.answer("good{c=\"d\"} 2\n"), nil),
    ]
    try await ScriptedSource.with(scripts.map(\.0)) { urls in
      try await withLocalProcesses { processes in
        let closed = "http://127.0.0.1:\(try FreePort.next())/metrics"
        let merger = try await RunningMerger.start(
          (urls + [closed, "file:/nonexistent", "unix:/nonexistent"]).flatMap { ["--url", $0] },
          in: processes)
        let start = ContinuousClock.now
        let answer = try await merger.get(
          headers: ["X-Prometheus-Scrape-Timeout-Seconds": "5"])
        // The sources were given up after 4.5 s; the rest is what a busy machine may take.
        #expect(ContinuousClock.now - start < .seconds(9))
        #expect(answer.status == 200)
        _ = try PrometheusText.Exposition(parsing: answer.bytes, format: .text)
        let expected =
          zip(urls, scripts.map(\.1))
          + [
            (closed, "connection"), ("file:/nonexistent", "file"),
            ("unix:/nonexistent:/metrics", "connection"),
          ]
        for (url, reason) in expected {
          let label = "merger_url=\"\(url)\""
          let up = "exporter_merger_source_up{\(label)} \(reason == nil ? 1 : 0)\n"
          #expect(answer.text.contains(up), "\(label) \(merger.process.output)")
          guard let reason else { continue }
          #expect(
            answer.text.contains(
              "exporter_merger_source_scrape_errors_total{\(label),reason=\"\(reason)\"} 1\n"),
            "\(reason) \(merger.process.output)")
        }
        #expect(answer.text.contains("good{merger_url=\"\(urls[0])\",a=\"b\"} 1\n"))
        #expect(answer.text.contains("good{merger_url=\"\(urls[14])\",c=\"d\"} 2\n"))
        // The log names the line.
        #expect(merger.process.output.contains { $0.contains("line 1: expected the name") })
      }
    }
  }

  @Test func sourcesThatHangKeepNoOthersWaitingOnTheirHost() async throws {
    let hanging = (0..<20).map { _ in Script(bytes: [], closes: false) }
    let good = (0..<5).map { _ in Script.answer("good 1\n") }
    try await ScriptedSource.withOnePort(hanging + good) { urls in
      try await withLocalProcesses { processes in
        let merger = try await RunningMerger.start(urls.flatMap { ["--url", $0] }, in: processes)
        // Two scrapers at one time.
        async let other = merger.get(headers: ["X-Prometheus-Scrape-Timeout-Seconds": "5"])
        let start = ContinuousClock.now
        let answer = try await merger.get(headers: ["X-Prometheus-Scrape-Timeout-Seconds": "5"])
        #expect(ContinuousClock.now - start < .seconds(9))
        for answer in [answer, try await other] {
          for (number, url) in urls.enumerated() {
            let isGood = number >= hanging.count
            #expect(
              answer.text.contains(
                "exporter_merger_source_up{merger_url=\"\(url)\"} \(isGood ? 1 : 0)\n"))
            #expect(answer.text.contains("good{merger_url=\"\(url)\"} 1\n") == isGood)
          }
        }
      }
    }
  }

  @Test func aSourceThatIsHardToReadKeepsNoOthersWaiting() async throws {
    // All series are equal but for what is behind an escape; and there are very many of them.
    var hard = ""
    for number in 0..<300_000 { hard += "a{b=\"\\n\(number)\"} 1\n" }
    try await ScriptedSource.with([.answer(hard), .answer("good 1\n")]) { urls in
      try await withLocalProcesses { processes in
        let merger = try await RunningMerger.start(urls.flatMap { ["--url", $0] }, in: processes)
        let start = ContinuousClock.now
        let answer = try await merger.get(headers: ["X-Prometheus-Scrape-Timeout-Seconds": "5"])
        #expect(ContinuousClock.now - start < .seconds(15))
        #expect(answer.text.contains("good{merger_url=\"\(urls[1])\"} 1\n"))
        #expect(try await merger.get("/healthz").text == "OK\n")
      }
    }
  }

  @Test func secretsOfAddressesStayInside() async throws {
    try await ScriptedSource.with([.answer("a\n")]) { urls in
      try await withLocalProcesses { processes in
        let url = urls[0].replacing("http://", with: "http://me:hunter2@") + "?token=hunter2"
        let merger = try await RunningMerger.start(["--url", url], in: processes)
        let answer = try await merger.get()
        #expect(answer.text.contains("exporter_merger_source_up{merger_url=\"\(urls[0])\"} 0\n"))
        #expect(!answer.text.contains("hunter2"))
        #expect(!merger.process.output.contains { $0.contains("hunter2") })
      }
    }
  }

  @Test func endsWellAfterSIGTERM() async throws {
    try await withLocalProcesses { processes in
      let merger = try await RunningMerger.start(["--url", "file:/nonexistent"], in: processes)
      #expect(try await merger.get("/healthz").text == "OK\n")
      #expect(try await merger.get("/nothing").status == 404)
      #expect(try await merger.get(method: .POST).status == 405)
      let head = try await merger.get(headers: ["Accept-Encoding": "identity"], method: .HEAD)
      #expect(head.bytes.isEmpty)
      merger.process.signal(.terminate)
      let status = try await withDeadline(.seconds(60), "exporter-merger ends") {
        try await merger.process.waitForExit()
      }
      #expect(status == .exited(0))
    }
  }
}
