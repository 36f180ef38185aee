import LocalServers
import Testing

@testable import ObjectStore

@Suite("S3: values with the same bytes, which S3 does not tell apart")
struct SameBytesTests {
  private func withStores<Result>(
    _ count: Int, _ clock: TestClock, _ body: ([S3ObjectStore]) async throws -> Result
  ) async throws -> Result {
    let server = try await SharedS3Server.server()
    let bucket = try server.newBucket()
    return try await body(
      try (0..<count).map { _ in try s3Store(server.endpoint, bucket: bucket, clock: clock) })
  }

  @Test("What was seen expired, and was written anew with the same bytes, is not removed")
  func rewritten() async throws {
    let clock = TestClock()
    try await withStores(2, clock) { stores in
      let (store, other) = (stores[0], stores[1])
      let key = try ObjectKey("key")
      try await store.put("key", "same", expires: clock.now + 1)
      let record = try #require(try await store.record(key))
      let seen = try #require(S3ExpiredObject(key, record))
      clock.advance(by: 10_000)
      try await other.put("key", "same")
      #expect(await store.remove(seen) == false)
      #expect(try await store.text("key") == "same")
      // Also if it is going to end at the same time.
      try await other.put("key", "same", expires: seen.expires)
      #expect(await store.remove(seen) == false)
      #expect(try await store.record(key) != nil)
    }
  }

  @Test("The sweep removes what ended some minutes ago, and nothing that is being written")
  func sweep() async throws {
    let clock = TestClock()
    try await withStores(1, clock) { stores in
      let store = stores[0]
      let key = try ObjectKey("key")
      try await store.put("key", "value", expires: clock.now + 1)
      try await store.put("stays", "value")
      clock.advance(by: 2)
      await store.sweepOnce()
      #expect(try await store.record(key) != nil)
      clock.advance(by: store.configuration.sweepDelay)
      let record = try #require(try await store.record(key))
      let seen = try #require(S3ExpiredObject(key, record))
      let isRemoved = try await store.turns.withTurn(key, .write) {
        () async throws(ObjectStoreError) in await store.remove(seen)
      }
      #expect(!isRemoved)
      await store.sweepOnce()
      #expect(try await store.record(key) == nil)
      #expect(try await store.text("stays") == "value")
    }
  }

  @Test("Of several processes that create the same value over an expired one, one does")
  func creators() async throws {
    let clock = TestClock()
    try await withStores(8, clock) { stores in
      for round in 0..<3 {
        try await stores[0].put("\(round)", "same", expires: clock.now + 1)
        clock.advance(by: 1)
        let winners = try await withThrowingTaskGroup(of: Int.self) { group in
          for store in stores {
            group.addTask {
              let kind = try await failure {
                try await store.put("\(round)", "same", if: .isMissing)
              }
              #expect(kind == nil || kind == .conditionFailed)
              return kind == nil ? 1 : 0
            }
          }
          return try await group.reduce(0, +)
        }
        #expect(winners == 1)
        #expect(try await stores[0].text("\(round)") == "same")
      }
    }
  }
}
