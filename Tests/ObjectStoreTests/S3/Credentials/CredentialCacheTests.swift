import Synchronization
import Testing

@testable import ObjectStore

@Suite("S3: credentials that expire")
struct CredentialCacheTests {
  /// Gives credentials with numbers, or fails, as a test says.
  private final class Source: AWSCredentialSource {
    let name = "test"
    let clock: TestClock
    private let state = Mutex((count: 0, fails: false))

    init(_ clock: TestClock) { self.clock = clock }

    var count: Int { state.withLock { $0.count } }
    func fail(_ fails: Bool) { state.withLock { $0.fails = fails } }

    func fetch() async throws(AWSCredentialError) -> AWSCredentials? {
      let (count, fails) = state.withLock { state in
        state.count += 1
        return (state.count, state.fails)
      }
      await Task.yield()
      if fails { throw AWSCredentialError("not now") }
      return AWSCredentials(
        accessKeyID: "\(count)", secretAccessKey: "s", expires: clock.now + 3600)
    }
  }

  private func id(_ cache: CredentialCache) async throws -> String {
    try await cache.current().accessKeyID
  }

  @Test("Fetched once for all, and again before they end")
  func refresh() async throws {
    let clock = TestClock()
    let source = Source(clock)
    let cache = CredentialCache(source, clock: clock.wallClock)
    let ids = try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<50 { group.addTask { try await id(cache) } }
      return try await group.reduce(into: Set<String>()) { $0.insert($1) }
    }
    #expect(ids == ["1"])
    clock.advance(by: 3600 - CredentialCache.refreshAhead - 1)
    #expect(try await id(cache) == "1")
    #expect(source.count == 1)
    clock.advance(by: 2)
    // The old ones serve until the new ones are there.
    while try await id(cache) == "1" { await Task.yield() }
    #expect(try await id(cache) == "2")
    #expect(source.count == 2)
  }

  @Test("Old ones are used while they are good and new ones cannot be had")
  func failures() async throws {
    let clock = TestClock()
    let source = Source(clock)
    let cache = CredentialCache(source, clock: clock.wallClock)
    #expect(try await id(cache) == "1")
    source.fail(true)
    clock.advance(by: 3600 - CredentialCache.refreshAhead + 1)
    #expect(try await id(cache) == "1")
    while source.count < 2 { await Task.yield() }
    #expect(try await id(cache) == "1")
    clock.advance(by: CredentialCache.refreshAhead)
    await #expect(throws: AWSCredentialError.self) { _ = try await cache.current() }
    source.fail(false)
    clock.advance(by: 60)
    #expect(Int(try await id(cache)) ?? 0 >= 3)
  }

  @Test("What a server does not take is fetched anew")
  func discarded() async throws {
    let clock = TestClock()
    let source = Source(clock)
    let cache = CredentialCache(source, clock: clock.wallClock)
    let first = try await cache.current()
    clock.advance(by: 10)
    cache.discard(first, since: AWSCredentialError("refused"))
    let second = try await cache.current()
    #expect(second.accessKeyID == "2")
    cache.discard(first, since: AWSCredentialError("refused"))
    #expect(try await id(cache) == "2")
  }

  @Test("New ones are fetched at once after a refusal, but not with every refusal")
  func refused() async throws {
    let clock = TestClock()
    let source = Source(clock)
    let cache = CredentialCache(source, clock: clock.wallClock)
    for number in 1...2 {
      let credentials = try await cache.current()
      #expect(credentials.accessKeyID == "\(number)")
      cache.discard(credentials, since: AWSCredentialError("InvalidAccessKeyId"))
    }
    do {
      _ = try await cache.current()
      Issue.record("fetched again")
    } catch {
      #expect(error.description.contains("InvalidAccessKeyId"))
    }
    #expect(source.count == 2)
    clock.advance(by: 10)
    #expect(try await id(cache) == "3")
  }
}
