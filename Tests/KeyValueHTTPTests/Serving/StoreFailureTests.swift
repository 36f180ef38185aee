import ObjectStore
import Testing

@testable import KeyValueHTTP

/// What clients see when the store fails.
@Suite struct StoreFailureTests {
  private static let close = "host: x\r\nconnection: close\r\n"

  @Test(arguments: [
    (ObjectStoreError.Kind.conditionFailed, 412), (.tooLarge, 413), (.full, 507), (.denied, 502),
    (.unavailable, 503), (.busy, 503), (.corrupt, 500), (.cancelled, 503),
  ])
  func eachKindHasItsStatus(_ kind: ObjectStoreError.Kind, _ status: Int) async throws {
    let store = ScriptedStore(failure: ObjectStoreError(kind, "at /secret/path"))
    for head in [
      "GET /v HTTP/1.1\r\n", "HEAD /v HTTP/1.1\r\n", "DELETE /v HTTP/1.1\r\n",
      "GET /?prefix= HTTP/1.1\r\n", "PUT /v HTTP/1.1\r\ncontent-length: 0\r\n",
    ] {
      let text = try await answer(to: "\(head)\(Self.close)\r\n", from: store)
      #expect(text.hasPrefix("HTTP/1.1 \(status) "), "\(head): \(text)")
      #expect(text.contains("retry-after: 1\r\n") == (status == 503))
      // Where the values are is for the log.
      #expect(!text.contains("secret"))
    }
  }

  @Test func aChangeThatMayHaveBeenMadeSaysSo() async throws {
    let store = ScriptedStore(
      failure: ObjectStoreError(.unavailable, "the answer was lost", mayHaveRun: true))
    let text = try await answer(
      to: "PUT /v HTTP/1.1\r\ncontent-length: 0\r\n\(Self.close)\r\n", from: store)
    #expect(text.contains("may have been made"))
  }

  /// Nothing was sent yet: the truth still fits into the status.
  @Test func aReadThatFailsAtOnceIsAnError() async throws {
    let text = try await answer(
      to: "GET /v HTTP/1.1\r\n\(Self.close)\r\n", from: ScriptedStore(contentEnds: 0))
    #expect(text.hasPrefix("HTTP/1.1 503 "))
    #expect(text.split(separator: "HTTP/1.1 ").count == 1)
  }

  /// No client takes a part for the whole, and no second answer follows.
  @Test func aReadThatBreaksOffEndsTheConnection() async throws {
    let text = try await answer(
      to: "GET /v HTTP/1.1\r\nhost: x\r\n\r\n", from: ScriptedStore(contentEnds: 300_000))
    #expect(text.contains("content-length: 1048576\r\n"))
    #expect(text.utf8.count < 301_000)
    #expect(text.split(separator: "HTTP/1.1 ").count == 1)
  }
}
