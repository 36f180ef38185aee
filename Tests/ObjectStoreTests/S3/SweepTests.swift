import LocalServers
import NIOHTTP1
import Testing

@testable import ObjectStore

@Suite("S3: expired values go")
struct SweepTests {
  @Test("A round removes what has expired, and nothing else")
  func round() async throws {
    let server = try await SharedS3Server.server()
    let bucket = try server.newBucket()
    let clock = TestClock()
    let store = try s3Store(server.endpoint, bucket: bucket, clock: clock) {
      $0.sweepRate = 10_000
      $0.sweepDelay = 0
    }
    for number in 0..<6 {
      try await store.put(
        "key \(number)", "value", expires: number % 2 == 0 ? clock.now + 10 : nil)
    }
    try await store.put("later", "value", expires: clock.now + 1000)
    await store.sweepOnce()
    #expect(try await store.names().count == 7)
    clock.advance(by: 10)
    await store.sweepOnce()
    #expect(try await store.names() == ["key 1", "key 3", "key 5", "later"])
  }

  @Test("A value that is written anew in that moment stays")
  func rewritten() async throws {
    let clock = TestClock()
    let server = try await SharedS3Server.server()
    let bucket = try server.newBucket()
    let direct = try s3Store(server.endpoint, bucket: bucket, clock: clock)
    // The new value comes between the look at the old one and its removal.
    let isWritten = Observed(false)
    try await FaultProxy.with(server.port) { head, _ in
      head.method == .DELETE && !isWritten.current ? .refuse(503, "SlowDown") : .none
    } _: { proxy in
      let store = try s3Store(proxy.endpoint, bucket: bucket, clock: clock) {
        $0.sweepRate = 10_000
        $0.sweepDelay = 0
        $0.retries.attempts = 1000
      }
      try await direct.put("key", "old", expires: clock.now)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await store.sweepOnce() }
        while !proxy.requests.contains(where: { $0.hasPrefix("DELETE") }) { await Task.yield() }
        try await direct.put("key", "new")
        isWritten.update { $0 = true }
        try await group.waitForAll()
      }
      #expect(try await direct.text("key") == "new")
    }
  }

  @Test("What a read finds expired is removed by the running store")
  func found() async throws {
    let server = try await SharedS3Server.server()
    let bucket = try server.newBucket()
    let clock = TestClock()
    let store = try s3Store(server.endpoint, bucket: bucket, clock: clock) { $0.sweepDelay = 0 }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await store.sweep() }
      try await store.put("key", "value", expires: clock.now + 1)
      clock.advance(by: 1)
      #expect(try await store.get("key") == .missing)
      while try await !store.names().isEmpty { await Task.yield() }
      group.cancelAll()
    }
  }
}
