import LocalServers
import NIOHTTP1
import PrometheusText
import Testing

@Suite struct MergerFormatTests {
  private let text = """
    # HELP hits_total Hits.
    # TYPE hits_total counter
    hits_total{path="/x"} 3
    {"odd.name","odd.label"="y"} 4

    """

  private func withMerger(
    _ body: @Sendable (RunningMerger, String) async throws -> Void
  ) async throws {
    try await withLocalProcesses { processes in
      let directory = try processes.newDirectory("sources")
      try SmallTestFile.write(text, to: directory + "/text.prom")
      let merger = try await RunningMerger.start(
        ["--url", "file:\(directory)/text.prom"], in: processes)
      try await body(merger, "file:\(directory)/text.prom")
    }
  }

  @Test(arguments: ExpositionFormat.allCases) func answersInTheFormatAskedFor(
    format: ExpositionFormat
  ) async throws {
    let wanted = NegotiatedFormat(format)
    try await withMerger { merger, source in
      let answer = try await merger.get(headers: ["Accept": wanted.contentType])
      #expect(answer.headers.first(name: "content-type") == wanted.contentType)
      let exposition = try PrometheusText.Exposition(parsing: answer.bytes, format: format)
      #expect(exposition.parts.map(\.name).contains("hits_total"))
      #expect(exposition.parts.map(\.name).contains("odd_name"))
      #expect(exposition.duplicates == 0)
      #expect(answer.text.contains(source))
    }
  }

  @Test func escapesNamesAsTheScraperAsks() async throws {
    try await withMerger { merger, source in
      for (scheme, line) in [
        ("allow-utf-8", "{\"odd.name\",merger_url=\"\(source)\",\"odd.label\"=\"y\"} 4\n"),
        ("underscores", "odd_name{merger_url=\"\(source)\",odd_label=\"y\"} 4\n"),
        ("dots", "odd_dot_name{merger_url=\"\(source)\",odd_dot_label=\"y\"} 4\n"),
        ("values", "U__odd_2e_name{merger_url=\"\(source)\",U__odd_2e_label=\"y\"} 4\n"),
      ] {
        let answer = try await merger.get(
          headers: ["Accept": "text/plain;version=1.0.0;escaping=\(scheme)"])
        #expect(answer.text.contains(line), "\(answer.text)")
        let type = "text/plain; version=1.0.0; charset=utf-8; escaping=\(scheme)"
        #expect(answer.headers.first(name: "content-type") == type)
      }
    }
  }

  @Test func packsAnswersForThoseWhoUnpackThem() async throws {
    try await withMerger { merger, _ in
      let answer = try await merger.get(headers: ["Accept-Encoding": "gzip"])
      #expect(answer.headers.first(name: "content-encoding") == "gzip")
      // The client has unpacked it.
      #expect(answer.text.contains("hits_total{"))
      let plain = try await merger.get(headers: ["Accept-Encoding": "gzip;q=0"])
      #expect(plain.headers.first(name: "content-encoding") == nil)
      #expect(plain.text.contains("hits_total{"))
    }
  }

  @Test func readsASourceOnAUnixSocket() async throws {
    try await withMerger { first, source in
      try await withLocalProcesses { processes in
        // Another merger behind a socket that a small relay offers.
        let socket = try processes.newDirectory("socket") + "/s"
        let relay = try await processes.start(
          LocalProcess.Command(
            name: "relay", executable: "python3",
            arguments: [
              "-c", UnixRelay.program, socket, "\(first.port)",
            ]))
        _ = try await withDeadline(.seconds(60), "the relay listens") {
          try await relay.line(containing: "ready")
        }
        let second = try await RunningMerger.start(["--url", "unix:\(socket)"], in: processes)
        let answer = try await second.get()
        let label = "merger_url=\"unix:\(socket):/metrics\""
        #expect(
          answer.text.contains(
            "hits_total{\(label),exported_merger_url=\"\(source)\",path=\"/x\"} 3\n"),
          "\(answer.text)")
      }
    }
  }
}

private enum UnixRelay {
  static let program = """
    import socket, sys, threading
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1])
    listener.listen(8)
    print("ready", flush=True)
    def copy(a, b):
        while True:
            data = a.recv(65536)
            if not data:
                b.shutdown(socket.SHUT_WR)
                return
            b.sendall(data)
    while True:
        one, _ = listener.accept()
        other = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
        threading.Thread(target=copy, args=(one, other), daemon=True).start()
        threading.Thread(target=copy, args=(other, one), daemon=True).start()
    """
}
