import NIOCore
import Testing

@testable import ObjectStore

@Suite("S3: memory of parts")
struct PartMemoryTests {
  @Test("Parts that hold some and want more come to their end, one after the other")
  func noDeadlock() async throws {
    let memory = PartMemory(size: 1000, partBytes: 300, limit: .seconds(600))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<50 {
        group.addTask {
          let room = memory.room()
          defer { room.close() }
          for step in 1...10 {
            try await room.grow(to: step * 30)
            await Task.yield()
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(memory.free == 1000)
  }

  /// Also those of a part whose task is over, and is still held by its group.
  @Test("Bytes go when their memory is given back")
  func bytes() async throws {
    let memory = PartMemory(size: 1000, partBytes: 300, limit: .seconds(600))
    var source = MeasuredSource(PatternSource(size: 500), WriteRequest(length: nil))
    let part = memory.room(ByteBuffer(string: "0123456789"))
    #expect(try await part.fill(upTo: 300, from: &source))
    #expect(part.bytes.readableBytes == 300)
    #expect(memory.free == 700)
    part.close()
    #expect(part.bytes.readableBytes == 0)
    #expect(memory.free == 1000)
    let last = memory.room()
    #expect(try await !last.fill(upTo: 300, from: &source))
    #expect(last.bytes.readableBytes == 210)
    last.close()
  }

  @Test("Parts of which little has come leave room for others")
  func slowParts() async throws {
    let memory = PartMemory(size: 1000, partBytes: 300, limit: .seconds(600))
    var slow: [PartRoom] = []
    for _ in 0..<10 {
      let room = memory.room()
      try await room.grow(to: 10)
      slow.append(room)
    }
    let fast = memory.room()
    try await fast.grow(to: 300)
    #expect(memory.free == 600)
    // The rest of one part stays free for the first.
    let late = PartMemory(size: 300, partBytes: 300, limit: .milliseconds(10))
    let (first, second) = (late.room(), late.room())
    try await first.grow(to: 10)
    #expect(try await failure { try await second.grow(to: 10) } == .busy)
    try await first.grow(to: 300)
    first.close()
    first.close()
    try await second.grow(to: 300)
    for room in slow { room.close() }
    fast.close()
    #expect(memory.free == 1000)
    #expect(late.free == 0)
    second.close()
  }

  @Test("Who is cancelled while it waits takes nothing")
  func cancellation() async throws {
    let memory = PartMemory(size: 100, partBytes: 100, limit: .seconds(600))
    let holder = memory.room()
    try await holder.grow(to: 100)
    let kind = try await withThrowingTaskGroup(of: ObjectStoreError.Kind?.self) { group in
      group.addTask { try await failure { try await memory.room().grow(to: 50) } }
      group.cancelAll()
      return try await group.next() ?? nil
    }
    #expect(kind == .cancelled)
    holder.close()
    #expect(memory.free == 100)
  }
}
