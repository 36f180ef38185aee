import NIOCore
import Testing

@testable import ObjectStore

@Suite("Object store in memory")
struct MemoryObjectStoreTests {
  @Test("All values together are bounded, those that are being written too")
  func bound() async throws {
    let store = MemoryObjectStore(maximumBytes: 1_000)
    try await store.put("a", String(repeating: "x", count: 600))
    #expect(
      try await failure { try await store.put("b", String(repeating: "x", count: 401)) } == .full)
    try await store.put("b", String(repeating: "x", count: 400))
    #expect(try await failure { try await store.put("c", "x") } == .full)
    // The old value stays until the new one is there: both count.
    #expect(
      try await failure { try await store.put("a", String(repeating: "y", count: 600)) } == .full)
    #expect(try await store.text("a")?.count == 600)
    try await store.remove("a")
    try await store.put("c", String(repeating: "x", count: 600))
  }

  @Test("What a refused body took is given back")
  func givenBack() async throws {
    let store = MemoryObjectStore(maximumBytes: 100_000)
    try await store.put("key", "old")
    for _ in 0..<5 {
      #expect(
        try await store.failure(
          writing: "key", WriteRequest(length: 200_000), from: PatternSource(size: 90_000))
          == .sourceFailed)
      let late = PatternSource(size: 90_000) { offset in
        if offset == 0 { try await store.put("late", "faster") }
      }
      #expect(
        try await store.failure(
          writing: "late", WriteRequest(length: nil, condition: .isMissing), from: late)
          == .conditionFailed)
      try await store.remove("late")
    }
    #expect(
      try await store.failure(
        writing: "key", WriteRequest(length: nil), from: PatternSource(size: 99_997)) == nil)
  }

  @Test("What has expired makes room")
  func sweeping() async throws {
    let clock = TestClock()
    let store = MemoryObjectStore(maximumBytes: 10, clock: clock.wallClock)
    try await store.put("a", "0123456789", expires: clock.now + 1)
    clock.advance(by: 1)
    store.sweep()
    try await store.put("b", "0123456789")
  }
}
