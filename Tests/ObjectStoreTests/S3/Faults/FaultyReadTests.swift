import LocalServers
import NIOCore
import NIOHTTP1
import Testing

@testable import ObjectStore

@Suite("S3 misbehaves: reads")
struct FaultyReadTests {
  private static let value = (0..<20_000).map { "line \($0)\n" }.joined()

  @Test(
    "A read is answered with the whole value after a server's trouble",
    arguments: [
      Fault.refuse(500, "InternalError"), .refuse(503, "SlowDown"), .refuse(502, ""),
      .refuse(429, "Throttling"), .drop, .loseAnswer, .cut(0), .cut(1), .cut(100_000),
      .say("HTTP/1.1 500 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), .say("what?\r\n"),
    ])
  func recovers(_ fault: Fault) async throws {
    try await withFaultyStore { head, number in
      head.method == .GET && number < 2 ? fault : .none
    } _: { store, direct, _ in
      try await direct.put("key", Self.value, type: "text/x")
      let info = try #require(try await direct.get("key").value?.info)
      let read = try await store.get("key")
      #expect(read == .value(StoredValue(info: info, part: .whole, text: Self.value)))
      let range = try await store.get("key", ReadRequest(range: .closed(10...19)))
      #expect(range.value?.text == String(Array(Self.value)[10...19]))
    }
  }

  @Test("A value whose connection breaks often is read to its end as long as it moves on")
  func progress() async throws {
    try await withFaultyStore { head, _ in
      head.method == .GET ? .cut(20_000) : .none
    } _: { store, direct, proxy in
      try await direct.put("key", Self.value)
      #expect(try await store.text("key") == Self.value)
      #expect(proxy.requests.count > store.configuration.maximumResumes)
    }
  }

  @Test("Why a HEAD is refused is asked of a GET")
  func refusedHead() async throws {
    for (code, kind) in [("ExpiredToken", "the credentials"), ("What", "What")] {
      try await withFaultyStore { head, _ in
        head.uri.contains("list-type") ? .none : .refuse(400, code)
      } _: { store, _, _ in
        do {
          _ = try await store.head(try ObjectKey("key"), ReadRequest())
          Issue.record("answered")
        } catch let error as ObjectStoreError {
          #expect(error.message.contains(kind))
        }
      }
    }
  }

  @Test("A value that stalls is asked for again from there")
  func stalls() async throws {
    try await withFaultyStore(bodyIdleTimeout: .milliseconds(200)) {
      head, number in
      number == 0 ? .stall(100_000) : .none
    } _: { store, direct, proxy in
      try await direct.put("key", Self.value)
      #expect(try await store.text("key") == Self.value)
      #expect(proxy.requests.count == 2)
    }
  }

  @Test("A reader that stops gives its connection to others, and reads on from there")
  func givesWay() async throws {
    let server = try await SharedS3Server.server()
    let store = try s3Store(server.endpoint, bucket: try server.newBucket()) {
      $0.maximumConnections = 1
      $0.pauseLimit = .milliseconds(100)
    }
    let size = 4 << 20
    _ = try await store.write(
      try ObjectKey("large"), WriteRequest(length: size), from: PatternSource(size: size))
    try await store.put("small", "value")
    let count = try await store.read(try ObjectKey("large"), ReadRequest()) { answer in
      guard case .content(_, _, let content) = answer else { return 0 }
      var offset = 0
      while let part = try await content.next() {
        // The only connection is this one's.
        if offset == 0 { #expect(try await store.text("small") == "value") }
        #expect(Pattern.matches(part, from: offset))
        offset += part.readableBytes
      }
      return offset
    }
    #expect(count == size)
  }

  @Test("Trouble that lasts is said, with no value")
  func lasting() async throws {
    for (fault, kind) in [
      (Fault.refuse(500, "InternalError"), ObjectStoreError.Kind.unavailable),
      (.refuse(503, "SlowDown"), .busy), (.drop, .unavailable), (.cut(10), .unavailable),
      (.refuse(403, "AccessDenied"), .denied), (.refuse(404, "NoSuchBucket"), .unavailable),
      (.refuse(403, "SignatureDoesNotMatch"), .denied), (.refuse(400, "What"), .unavailable),
    ] {
      try await withFaultyStore { head, _ in
        head.method == .GET && !head.uri.contains("list-type") ? fault : .none
      } _: { store, direct, proxy in
        try await direct.put("key", Self.value)
        #expect(try await failure { _ = try await store.get("key") } == kind)
        #expect(proxy.requests.count < 20)
      }
    }
  }

  @Test("A value that is replaced while it is read is never mixed")
  func replaced() async throws {
    try await withFaultyStore { head, number in
      number == 0 ? .cut(100_000) : .none
    } _: { store, direct, _ in
      try await direct.put("key", Self.value)
      var text = ""
      let kind = try await failure {
        text = try await store.read(try ObjectKey("key"), ReadRequest()) { answer in
          guard case .content(_, _, let content) = answer else { return "" }
          var bytes = try await content.next() ?? ByteBuffer()
          try await direct.put("key", String(Self.value.reversed()))
          while var next = try await content.next() { bytes.writeBuffer(&next) }
          return String(buffer: bytes)
        }
      }
      // Where the first connection took all it had with it, the second one had the old value whole.
      #expect(kind == .unavailable || (kind == nil && text == Self.value))
    }
  }

  @Test("Where lists are not allowed, a refused read is a missing key; else it is a refusal")
  func missingWithoutList() async throws {
    for (isListAllowed, status) in [(true, 403), (false, 403), (false, 404)] {
      try await withFaultyStore { head, _ in
        if head.uri.contains("list-type") {
          return isListAllowed ? .none : .refuse(403, "AccessDenied")
        }
        return .refuse(status, status == 403 ? "AccessDenied" : "NoSuchKey")
      } _: { store, _, _ in
        let kind = try await failure {
          let read = try await store.get("key")
          let head = try await store.head(try ObjectKey("key"), ReadRequest())
          #expect(read == .missing && head == .missing)
        }
        #expect(kind == (isListAllowed ? .denied : nil))
        try await store.check()
      }
    }
  }
}
