import LocalServers
import NIOCore
import NIOHTTP1
import ObjectStore
import Synchronization
import Testing

@Suite("S3 misbehaves: writes")
struct FaultyWriteTests {
  /// What happens to the first request that makes a value visible.
  private static func first(_ fault: Fault, _ method: HTTPMethod = .PUT) -> FaultProxy.Plan {
    let isDone = Mutex(false)
    return { head, _ in
      guard head.method == method, !head.uri.contains("uploads"), !head.uri.contains("partNumber")
      else { return .none }
      return isDone.withLock { isDone in
        defer { isDone = true }
        return isDone ? .none : fault
      }
    }
  }

  @Test(
    "A conditional write that was stored and lost its answer is a success",
    arguments: [Fault.loseAnswer, .refuseAfter(500, "InternalError")])
  func lostAnswer(_ fault: Fault) async throws {
    try await withFaultyStore(Self.first(fault)) { store, direct, _ in
      let info = try await store.put("new", "value", if: .isMissing)
      #expect(try await direct.get("new").value?.info.etag == info.etag)
    }
    try await withFaultyStore(Self.first(fault)) { store, direct, _ in
      let old = try await direct.put("key", "old")
      let info = try await store.put("key", "new", if: .matches(.oneOf([old.etag])))
      #expect(try await direct.get("key").value?.info.etag == info.etag)
      #expect(try await direct.text("key") == "new")
    }
  }

  @Test(
    "A write that was not stored is sent again",
    arguments: [
      Fault.drop, .refuse(500, "InternalError"), .refuse(503, "SlowDown"),
      .refuse(409, "ConditionalRequestConflict"), .refuse(409, "OperationAborted"),
    ])
  func again(_ fault: Fault) async throws {
    for condition in [WriteCondition.none, .isMissing] {
      try await withFaultyStore(Self.first(fault)) { store, direct, proxy in
        try await store.put("key", "value", if: condition)
        #expect(try await direct.text("key") == "value")
        #expect(proxy.requests.count { $0.hasPrefix("PUT") } == 2)
      }
    }
  }

  @Test("A condition that does not hold is said, also after trouble")
  func conditionFailed() async throws {
    try await withFaultyStore(Self.first(.refuse(503, "SlowDown"))) { store, direct, _ in
      try await direct.put("key", "theirs")
      #expect(
        try await failure { try await store.put("key", "mine", if: .isMissing) } == .conditionFailed
      )
      #expect(try await direct.text("key") == "theirs")
    }
  }

  @Test("What became of a write is not claimed where nobody can know")
  func unknown() async throws {
    try await withFaultyStore(Self.first(.drop)) { store, direct, _ in
      try await direct.put("key", "theirs")
      do throws(ObjectStoreError) {
        _ = try await store.write(
          try key("key"), WriteRequest(length: 4, condition: .isMissing), from: PiecesSource("mine")
        )
        Issue.record("stored over a value")
      } catch {
        #expect(error.kind == .unavailable)
        #expect(error.mayHaveRun)
      }
      #expect(try await direct.text("key") == "theirs")
    }
  }

  private func key(_ text: String) throws(ObjectStoreError) -> ObjectKey {
    do {
      return try ObjectKey(text)
    } catch {
      throw ObjectStoreError(.corrupt, "no key")
    }
  }

  @Test("Who may not read is told that a value is there, and not to try again")
  func createWithoutReading() async throws {
    try await withFaultyStore { head, _ in
      head.method == .PUT ? .none : .refuse(403, "AccessDenied")
    } _: { store, direct, proxy in
      try await direct.put("key", "theirs")
      #expect(
        try await failure { try await store.put("key", "mine", if: .isMissing) } == .conditionFailed
      )
      #expect(proxy.requests.count < 5)
    }
  }

  @Test("A 503 that is not of S3 may come after a write")
  func foreignUnavailable() async throws {
    for (fault, isKnown) in [(Fault.refuseAfter(503, ""), true), (.refuse(503, ""), false)] {
      try await withFaultyStore(Self.first(fault)) { store, direct, _ in
        if isKnown {
          try await store.put("key", "mine", if: .isMissing)
        } else {
          try await direct.put("key", "theirs")
          let kind = try await failure { try await store.put("key", "mine", if: .isMissing) }
          #expect(kind == .unavailable)
        }
      }
    }
  }

  @Test("A removal whose answer was lost is a success")
  func lostRemoval() async throws {
    for fault in [Fault.loseAnswer, .refuseAfter(500, "InternalError"), .drop] {
      try await withFaultyStore(Self.first(fault, .DELETE)) { store, direct, _ in
        let info = try await direct.put("key", "value")
        try await store.remove("key", if: .matches(.oneOf([info.etag])))
        #expect(try await direct.get("key") == .missing)
      }
    }
  }

  @Test(
    "A value of many parts survives trouble with parts and with the last request",
    arguments: [
      Fault.drop, .loseAnswer, .refuse(500, "InternalError"), .refuseAfter(500, "InternalError"),
      .refuse(200, "InternalError"), .refuse(409, "ConditionalRequestConflict"),
      .refuseAfter(409, "ConditionalRequestConflict"),
    ])
  func multipart(_ fault: Fault) async throws {
    let parts = Mutex(0)
    let completing = Self.first(fault, .POST)
    try await withFaultyStore(partBytes: 5 << 20) { head, number in
      if head.uri.contains("partNumber=2") {
        return parts.withLock { count in
          count += 1
          // Only what takes long fails after it has begun to answer.
          if case .refuse(200, _) = fault { return .none }
          return count == 1 ? fault : .none
        }
      }
      return completing(head, number)
    } _: { store, direct, _ in
      let size = 12 << 20
      let info = try await store.write(
        try ObjectKey("key"), WriteRequest(length: nil, condition: .isMissing),
        from: PatternSource(size: size))
      #expect(info.size == size)
      let read = try await direct.read(try ObjectKey("key"), ReadRequest()) { answer in
        guard case .content(let info, _, let content) = answer else { return nil as ETag? }
        var offset = 0
        while let part = try await content.next() {
          #expect(Pattern.matches(part, from: offset))
          offset += part.readableBytes
        }
        return offset == size ? info.etag : nil
      }
      #expect(read == info.etag)
    }
  }

  /// S3 forgets an upload that lost a race, and says so only when it is to be completed again.
  @Test("An upload that is gone is not claimed to be stored, and can be tried again")
  func forgotten() async throws {
    let answers = Mutex([(409, "ConditionalRequestConflict"), (404, "NoSuchUpload")])
    try await withFaultyStore(partBytes: 5 << 20) { head, _ in
      guard head.method == .POST, !head.uri.contains("uploads") else { return .none }
      return answers.withLock { answers in
        guard let (status, code) = answers.first else { return .none }
        answers.removeFirst()
        return .refuse(status, code)
      }
    } _: { store, direct, _ in
      for expected in [ObjectStoreError.Kind.busy, nil] {
        let kind = try await store.failure(
          writing: "key", WriteRequest(length: nil, condition: .isMissing),
          from: PatternSource(size: 6 << 20))
        #expect(kind == expected)
      }
      #expect(try await direct.get("key").value?.info.size == 6 << 20)
    }
  }

  @Test("An upload that fails leaves the old value, and no parts")
  func aborted() async throws {
    let server = try await SharedS3Server.server()
    let fails: [(Fault, Int)] = [(.refuse(403, "AccessDenied"), 12 << 20), (.none, 9 << 20)]
    for (fault, announced) in fails {
      try await withFaultyStore(partBytes: 5 << 20) { head, _ in
        head.uri.contains("partNumber=2") ? fault : .none
      } _: { store, direct, proxy in
        try await direct.put("key", "old")
        let kind = try await store.failure(
          writing: "key", WriteRequest(length: announced), from: PatternSource(size: 12 << 20))
        #expect(kind == (announced == 12 << 20 ? .denied : .sourceFailed))
        #expect(try await direct.text("key") == "old")
        let bucket = String(try #require(proxy.requests.first).split(separator: "/")[1])
        let uploads = try await server.boto3(
          "print(len(s3.list_multipart_uploads(Bucket=sys.argv[1]).get('Uploads', [])))", bucket)
        #expect(uploads == ["0"])
      }
    }
  }
}
