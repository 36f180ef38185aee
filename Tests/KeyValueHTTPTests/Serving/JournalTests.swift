import Glibc
import LocalServers
import Logging
import ObjectStore
import ServiceKit
import Testing

@testable import KeyValueHTTP

/// What the log says of requests.
@Suite struct JournalTests {
  private let lines = Observed("")

  private func logger(_ level: Logger.Level) -> Logger {
    Logger(label: "test") { label in
      JSONLogHandler(
        label: label, level: level,
        sink: LogSink { [lines] line in lines.update { $0 += String(decoding: line, as: UTF8.self) }
        }
      )
    }
  }

  @Test func aReadThatBreaksOffIsInTheLog() async throws {
    _ = try await answer(
      to: "GET /the-key HTTP/1.1\r\nhost: x\r\n\r\n", from: ScriptedStore(contentEnds: 300_000),
      logger: logger(.warning))
    #expect(lines.current.contains("the store failed"))
    #expect(lines.current.contains("the-key"))
  }

  @Test func linesOfRequestsHoldNoTokensAndNoValues() async throws {
    let path = "/tmp/journal-tests-\(getpid())-\(UInt32.random(in: 0 ... .max)).json"
    let file = try #require(fopen(path, "w"))
    fputs(#"{"tokens": [{"token": "geheim", "rights": ["write"]}]}"#, file)
    fclose(file)
    defer { unlink(path) }
    let logger = logger(.info)
    let tokens = try TokenFile(path: path, logger: logger)
    for token in ["geheim", "unbekannt"] {
      _ = try await answer(
        to: "PUT /the-key HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 7\r\n"
          + "authorization: Bearer \(token)\r\n\r\nvaluable",
        from: MemoryObjectStore(), logger: logger, isComplete: true, tokens: tokens)
    }
    #expect(lines.current.contains("the-key"))
    #expect(lines.current.contains("200") && lines.current.contains("401"))
    for secret in ["geheim", "unbekannt", "valuabl"] { #expect(!lines.current.contains(secret)) }
  }
}
