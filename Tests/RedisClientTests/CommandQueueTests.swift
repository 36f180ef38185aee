import NIOCore
import RESP
import Testing

@testable import RedisClient

@Suite struct CommandQueueTests {
  private let failure = RedisError(.notConnected, address: "host:1", "connection refused")

  @Test func wakesTheLoopOncePerTurn() {
    var queue = CommandQueue(maximumCount: 10, maximumLength: 1000)
    #expect(name(queue.admit(command("A"))) == "wake")
    #expect(name(queue.admit(command("B"))) == "queued")
    queue.awoke()
    #expect(name(queue.admit(command("C"))) == "wake")
  }

  @Test func givesCommandsOutInOrderAndOnlyWhenReady() {
    var queue = CommandQueue(maximumCount: 10, maximumLength: 1000)
    for name in ["A", "B", "C"] { _ = queue.admit(command(name)) }
    var batch: [QueuedCommand] = []
    queue.take(into: &batch, length: 100)
    #expect(batch.isEmpty)
    queue.open()
    queue.take(into: &batch, length: 20)
    #expect(batch.map(\.pending.name) == ["A", "B"])
    queue.take(into: &batch, length: 20)
    #expect(batch.map(\.pending.name) == ["A", "B", "C"])
    #expect(queue.count == 3)
    queue.release(count: 3, length: 33)
    #expect(queue.count == 0 && queue.length == 0)
  }

  @Test func boundsCommandsAndBytes() {
    var byCount = CommandQueue(maximumCount: 2, maximumLength: 1000)
    var byLength = CommandQueue(maximumCount: 100, maximumLength: 25)
    for _ in 0..<2 {
      #expect(name(byCount.admit(command("A"))) != "tooManyPending")
      #expect(name(byLength.admit(command("A"))) != "tooManyPending")
    }
    #expect(name(byCount.admit(command("A"))) == "tooManyPending")
    #expect(name(byLength.admit(command("A"))) == "tooManyPending")
    byCount.release(count: 1, length: 11)
    #expect(name(byCount.admit(command("A"))) != "tooManyPending")
  }

  @Test func refusesUntilAConnectionIsThere() {
    var queue = CommandQueue(maximumCount: 10, maximumLength: 1000)
    _ = queue.admit(command("A"))
    #expect(queue.refuse(failure).map(\.name) == ["A"])
    #expect(queue.count == 0)
    #expect(name(queue.admit(command("B"))) == "notConnected")
    queue.open()
    #expect(name(queue.admit(command("B"))) == "queued")
  }

  @Test func staysEnded() {
    var queue = CommandQueue(maximumCount: 10, maximumLength: 1000)
    _ = queue.admit(command("A"))
    #expect(queue.end(failure).count == 1)
    queue.open()
    queue.hold()
    #expect(name(queue.admit(command("B"))) == "notConnected")
  }

  @Test func forgetsWhatExpiredOrWasCancelled() {
    var queue = CommandQueue(maximumCount: 10, maximumLength: 1000)
    _ = queue.admit(command("A", deadline: 5))
    _ = queue.admit(command("B", deadline: 20))
    let cancelled = command("C", deadline: 20)
    _ = queue.admit(cancelled)
    cancelled.pending.cancel()
    #expect(queue.removeExpired(at: .uptimeNanoseconds(10)).map(\.name) == ["A", "C"])
    #expect(queue.count == 1)
    var batch: [QueuedCommand] = []
    queue.open()
    queue.take(into: &batch, length: 100)
    #expect(batch.map(\.pending.name) == ["B"])
  }

  private func command(_ name: String, deadline: UInt64 = 100) -> QueuedCommand {
    let command = RESPCommand(name)
    return QueuedCommand(
      command: command,
      pending: PendingCommand(
        name: name, length: command.encodedLength, deadline: .uptimeNanoseconds(deadline),
        address: "host:1"))
  }

  private func name(_ admission: CommandQueue.Admission) -> String {
    switch admission {
    case .queued: "queued"
    case .wake: "wake"
    case .refused(let kind, _, _): "\(kind)"
    }
  }
}
