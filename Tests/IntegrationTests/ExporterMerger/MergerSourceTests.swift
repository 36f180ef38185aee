import LocalServers
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

/// How sources are asked.
@Suite struct MergerSourceTests {
  private typealias Script = ScriptedSource.Script

  /// Heads of requests, in their order.
  private final class Requests: Sendable {
    private let heads = Mutex<[String]>([])

    var all: [String] { heads.withLock { $0 } }

    func note(_ head: String) { heads.withLock { $0.append(head.lowercased()) } }
  }

  @Test func asksAsTheScraperAndTheAddressSay() async throws {
    let requests = Requests()
    var script = Script.answer("a 1\n")
    script.record = requests.note
    try await ScriptedSource.with([script]) { urls in
      try await withLocalProcesses { processes in
        let url = urls[0].replacing("http://", with: "http://me:p%40ss@") + "?q=1"
        let merger = try await RunningMerger.start(["--url", url], in: processes)
        let answer = try await merger.get(
          headers: [
            "X-Prometheus-Scrape-Timeout-Seconds": "20",
            "Accept": "application/openmetrics-text;version=1.0.0",
          ])
        #expect(answer.text.contains("exporter_merger_source_up{merger_url=\"\(urls[0])\"} 1\n"))
        let head = try #require(requests.all.first)
        #expect(head.hasPrefix("get /metrics?q=1 http/1.1\r\n"))
        #expect(head.contains("\r\nauthorization: basic bwu6cebzcw==\r\n"))
        #expect(head.contains("\r\nx-prometheus-scrape-timeout-seconds: 18.0\r\n"))
        #expect(
          head.contains("\r\naccept: application/openmetrics-text;version=1.0.0;escaping=allow"))
      }
    }
  }

  @Test func followsRedirectsWithoutTakingSecretsElsewhere() async throws {
    let (here, there) = (Requests(), Requests())
    var target = Script.answer("a 1\n")
    target.record = there.note
    try await ScriptedSource.with([target]) { targets in
      var script = Script.answer(
        [], more: "location: \(targets[0])\r\n", status: "302 Found")
      script.record = here.note
      try await ScriptedSource.with([script]) { urls in
        try await withLocalProcesses { processes in
          let url = urls[0].replacing("http://", with: "http://me:hunter2@")
          let merger = try await RunningMerger.start(["--url", url], in: processes)
          let answer = try await merger.get()
          #expect(answer.text.contains("a{merger_url=\"\(urls[0])\"} 1\n"))
          #expect(here.all.first?.contains("\r\nauthorization: basic ") == true)
          #expect(there.all.count == 1)
          #expect(there.all.first?.contains("authorization") == false)
        }
      }
    }
  }

  @Test func unpacksAGoodAnswer() async throws {
    var text = ""
    for number in 0..<5000 { text += "a{n=\"\(number)\"} 1\n" }
    try await withLocalProcesses { processes in
      let directory = try processes.newDirectory("packed")
      try SmallTestFile.write(text, to: directory + "/text")
      let gzip = try await processes.start(
        LocalProcess.Command(
          name: "gzip", executable: "/bin/sh",
          arguments: ["-c", "gzip -c \(directory)/text > \(directory)/packed"]))
      #expect(try await gzip.waitForExit() == .exited(0))
      let packed = try SmallTestFile.read(directory + "/packed")
      let script = Script.answer(packed, more: "content-encoding: gzip\r\n")
      try await ScriptedSource.with([script]) { urls in
        let merger = try await RunningMerger.start(["--url", urls[0]], in: processes)
        let answer = try await merger.get()
        #expect(answer.text.contains("\na{merger_url=\"\(urls[0])\",n=\"4999\"} 1\n"))
        #expect(answer.text.contains("scrape_samples{merger_url=\"\(urls[0])\"} 5000\n"))
      }
    }
  }
}
