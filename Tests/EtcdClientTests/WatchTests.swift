import EtcdClient
import LocalServers
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(5))) struct WatchTests {
  @Test(arguments: EtcdVersion.allCases)
  func changesAreReportedInOrder(version: EtcdVersion) async throws {
    try await withCluster(1, version) { _, client in
      let before = try await client.put("w/a", "0").state.revision
      for number in 1...50 { try await client.put("w/a", "\(number)") }
      try await client.put("other", "")
      _ = try await client.transaction(
        EtcdTransaction(then: [.delete(.key("w/a")), .put("w/b", "")]), isRepeatable: true,
        timeout: patience)
      let seen = Mutex<[EtcdEvent]>([])
      try await client.watch(.prefix("w/"), from: before) { batch in
        seen.withLock { events in
          events += batch
          return events.count < 53
        }
      }
      let events = seen.withLock { $0 }
      #expect(events.count == 53)
      #expect(events.map(\.revision) == events.map(\.revision).sorted())
      for (number, event) in events.prefix(51).enumerated() {
        guard case .put(let keyValue) = event.change else {
          Issue.record("\(event)")
          continue
        }
        #expect(keyValue.valueText == "\(number)")
      }
      #expect(events.contains { $0.change == .deleted(key: Array("w/a".utf8)) })
    }
  }

  @Test func aWatchGoesOnAtAnotherMember() async throws {
    try await withCluster(3, configure: { $0.keepaliveInterval = .seconds(2) }) { servers, client in
      try await withThrowingTaskGroup(of: [EtcdEvent].self) { group in
        let (started, continuation) = AsyncStream.makeStream(of: Int.self)
        group.addTask {
          let seen = Mutex<[EtcdEvent]>([])
          try await client.watch(.prefix("w/"), onStart: { continuation.yield(-1) }) { batch in
            seen.withLock { events in
              events += batch
              continuation.yield(events.count)
              return events.count < 20
            }
          }
          return seen.withLock { $0 }
        }
        var progress = started.makeAsyncIterator()
        #expect(await progress.next() == -1)
        for number in 0..<10 { try await client.put("w/\(number)", "") }
        while let count = await progress.next(), count < 10 {}
        try await servers[0].kill()
        for number in 10..<20 { try await client.put("w/\(number)", "") }
        let events = try #require(try await group.next())
        #expect(Set(events.map(\.revision)).count == 20)
      }
    }
  }

  @Test func aRevisionThatIsGoneIsSaid() async throws {
    try await withCluster(1) { servers, client in
      let first = try await client.put("w/a", "0").state.revision
      let last = try await client.put("w/a", "1").state.revision
      try await servers[0].etcdctl("compact", "\(last)")
      let error = await #expect(throws: EtcdError.self) {
        try await client.watch(.prefix("w/"), from: first) { _ in true }
      }
      #expect(error?.kind == .compacted(oldest: last))
    }
  }

  @Test func aCancelledWatchEnds() async throws {
    try await withCluster(1) { _, client in
      let (started, continuation) = AsyncStream.makeStream(of: Void.self)
      let task = Task {
        try await client.watch(.prefix("w/"), onStart: { continuation.yield() }) { _ in true }
      }
      for await _ in started { break }
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
      try await client.put("w/a", "")
    }
  }

  @Test func whatTheHandlerThrowsEndsTheWatch() async throws {
    struct Enough: Error {}
    try await withCluster(1) { _, client in
      let revision = try await client.put("w/a", "").state.revision
      await #expect(throws: Enough.self) {
        try await client.watch(.prefix("w/"), from: revision) { _ in throw Enough() }
      }
    }
  }
}
