import NIOCore
import NIOEmbedded
import RESP
import Testing

@testable import RedisClient

@Suite(.timeLimit(.minutes(2))) struct RedisChannelHandlerTests {
  @Test func repliesGoToTheirCommandsInOrder() async throws {
    let connection = try await FakeConnection.greeted()
    let outcomes = Outcomes()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for name in ["A", "B", "C"] {
        await connection.start(RESPCommand(name), in: &group, outcomes.note(name))
      }
      #expect(try await connection.writtenSoFar() == wire("A", "B", "C"))
      try await connection.answer("+1\r\n+2")
      await outcomes.wait(for: 1)
      try await connection.answer("\r\n$1\r\n3\r\n")
      await outcomes.wait(for: 3)
      #expect(Set(outcomes.all) == ["A = 1", "B = 2", "C = 3"])
      #expect(connection.pipe.pendingCount == 0)
    }
  }

  @Test func commandsWaitForTheGreetingAndThenGoOutTogether() async throws {
    let connection = try await FakeConnection()
    let outcomes = Outcomes()
    try await withThrowingTaskGroup(of: Void.self) { group in
      #expect(try await connection.nextWrite().hasPrefix("*4\r\n$5\r\nHELLO"))
      await connection.start(RESPCommand("A"), in: &group, outcomes.note("A"))
      await connection.start(RESPCommand("B"), in: &group, outcomes.note("B"))
      #expect(try await connection.writtenSoFar() == "")
      try await connection.answer("%0\r\n")
      #expect(try await connection.nextWrite() == wire("A", "B"))
      try await connection.answer("+1\r\n+2\r\n")
      await outcomes.wait(for: 2)
      #expect(Set(outcomes.all) == ["A = 1", "B = 2"])
    }
  }

  @Test func aCommandThatExpiresUnsentIsNeverSent() async throws {
    let connection = try await FakeConnection()
    let outcomes = Outcomes()
    try await withThrowingTaskGroup(of: Void.self) { group in
      _ = try await connection.nextWrite()
      await connection.start(
        RESPCommand("A"), timeout: .milliseconds(100), in: &group, outcomes.note("A"))
      await connection.advance(.milliseconds(90))
      #expect(outcomes.all.isEmpty)
      await connection.advance(.milliseconds(20))
      await outcomes.wait(for: 1)
      #expect(outcomes.all == ["A: timedOut"])
      #expect(connection.pipe.pendingCount == 0)
      try await connection.answer("%0\r\n")
      await connection.settle()
      #expect(try await connection.writtenSoFar() == "")
    }
  }

  @Test func aLateReplyIsDiscardedInItsTurn() async throws {
    let connection = try await FakeConnection.greeted()
    let outcomes = Outcomes()
    try await withThrowingTaskGroup(of: Void.self) { group in
      await connection.start(
        RESPCommand("ACQUIRE"), timeout: .milliseconds(50), in: &group, outcomes.note("ACQUIRE"))
      await connection.advance(.milliseconds(70))
      await outcomes.wait(for: 1)
      await connection.start(RESPCommand("RELEASE"), in: &group, outcomes.note("RELEASE"))
      #expect(try await connection.writtenSoFar() == wire("ACQUIRE", "RELEASE"))
      #expect(connection.pipe.pendingCount == 2)
      try await connection.answer("+acquired\r\n+released\r\n")
      await outcomes.wait(for: 2)
      #expect(outcomes.all == ["ACQUIRE: timedOut, sent", "RELEASE = released"])
      #expect(connection.channel.isActive)
      #expect(connection.pipe.pendingCount == 0)
    }
  }

  @Test func aCancelledCommandKeepsItsPlaceOnceSent() async throws {
    let connection = try await FakeConnection.greeted()
    let outcomes = Outcomes()
    try await withThrowingTaskGroup(of: Void.self) { outer in
      await withThrowingTaskGroup(of: Void.self) { group in
        await connection.start(RESPCommand("A"), in: &group, outcomes.note("A"))
        group.cancelAll()
      }
      #expect(outcomes.all == ["A: cancelled, sent"])
      await connection.start(RESPCommand("B"), in: &outer, outcomes.note("B"))
      try await connection.answer("+1\r\n+2\r\n")
      await outcomes.wait(for: 2)
      #expect(outcomes.all.last == "B = 2")
    }
  }

  @Test func aCommandCancelledUnsentIsNeverSent() async throws {
    let connection = try await FakeConnection()
    let outcomes = Outcomes()
    _ = try await connection.nextWrite()
    await withThrowingTaskGroup(of: Void.self) { group in
      await connection.start(RESPCommand("A"), in: &group, outcomes.note("A"))
      group.cancelAll()
    }
    #expect(outcomes.all == ["A: cancelled"])
    try await connection.answer("%0\r\n")
    await connection.settle()
    #expect(try await connection.writtenSoFar() == "")
    #expect(connection.pipe.pendingCount == 0)
  }

  @Test func aFullSocketKeepsCommandsInTheQueueWhereTheyCanExpire() async throws {
    let connection = try await FakeConnection.greeted()
    let outcomes = Outcomes()
    try await withThrowingTaskGroup(of: Void.self) { group in
      try await connection.setWritable(false)
      await connection.start(
        RESPCommand("A"), timeout: .milliseconds(50), in: &group, outcomes.note("A"))
      await connection.start(RESPCommand("B"), in: &group, outcomes.note("B"))
      #expect(try await connection.writtenSoFar() == "")
      await connection.advance(.milliseconds(70))
      await outcomes.wait(for: 1)
      #expect(outcomes.all == ["A: timedOut"])
      try await connection.setWritable(true)
      #expect(try await connection.nextWrite() == wire("B"))
      try await connection.answer("+1\r\n")
      await outcomes.wait(for: 2)
    }
  }

  @Test func aSocketThatHasRoomAgainDuringAWriteIsNoSurprise() async throws {
    let connection = try await FakeConnection.greeted()
    try await connection.addFirst { WritabilityEcho() }
    let outcomes = Outcomes()
    try await withThrowingTaskGroup(of: Void.self) { group in
      try await connection.setWritable(false)
      // More than one write takes.
      let long = RESPArgument.bytes(ByteBuffer(repeating: 0x61, count: 70_000))
      for name in ["A", "B"] {
        await connection.start(RESPCommand(name, long), in: &group, outcomes.note(name))
      }
      try await connection.setWritable(true)
      for name in ["A", "B"] {
        #expect(try await connection.nextWrite().hasPrefix("*2\r\n$1\r\n\(name)\r\n$70000\r\n"))
      }
      try await connection.answer("+1\r\n+2\r\n")
      await outcomes.wait(for: 2)
      #expect(Set(outcomes.all) == ["A = 1", "B = 2"])
    }
  }

  @Test func aConnectionThatEndsDuringAWriteLosesOnlyThatWrite() async throws {
    let connection = try await FakeConnection.greeted()
    try await connection.addFirst { CloseOnFlush() }
    let outcomes = Outcomes()
    try await withThrowingTaskGroup(of: Void.self) { group in
      try await connection.setWritable(false)
      let long = RESPArgument.bytes(ByteBuffer(repeating: 0x61, count: 70_000))
      await connection.start(RESPCommand("A", long), in: &group, outcomes.note("A"))
      await connection.start(
        RESPCommand("B"), timeout: .milliseconds(50), in: &group, outcomes.note("B"))
      try await connection.setWritable(true)
      await outcomes.wait(for: 1)
      #expect(outcomes.all == ["A: connectionClosed, sent"])
      // The other one waits for the next connection, in vain here.
      await connection.advance(.milliseconds(70))
      await outcomes.wait(for: 2)
      #expect(outcomes.all.last == "B: timedOut")
      #expect(connection.pipe.pendingCount == 0)
    }
  }

  @Test func aConnectionThatStallsIsClosed() async throws {
    let connection = try await FakeConnection.greeted { $0.stallLimit = .seconds(10) }
    let outcomes = Outcomes()
    await withThrowingTaskGroup(of: Void.self) { group in
      await connection.start(
        RESPCommand("A"), timeout: .seconds(1), in: &group, outcomes.note("A"))
      await connection.start(
        RESPCommand("B"), timeout: .seconds(60), in: &group, outcomes.note("B"))
      await connection.advance(.milliseconds(9_990))
      #expect(connection.channel.isActive)
      await connection.advance(.milliseconds(50))
      await outcomes.wait(for: 2)
      #expect(outcomes.all == ["A: timedOut, sent", "B: connectionClosed, sent"])
      #expect(!connection.channel.isActive)
      #expect(connection.pipe.pendingCount == 0)
    }
  }

  @Test func pushMessagesAnswerNoCommand() async throws {
    let connection = try await FakeConnection.greeted()
    let outcomes = Outcomes()
    try await withThrowingTaskGroup(of: Void.self) { group in
      await connection.start(RESPCommand("A"), in: &group, outcomes.note("A"))
      try await connection.answer(">2\r\n+invalidate\r\n*0\r\n+1\r\n>1\r\n+x\r\n")
      await outcomes.wait(for: 1)
      #expect(outcomes.all == ["A = 1"])
      #expect(connection.channel.isActive)
    }
  }

  @Test(arguments: ["HTTP/1.1 400 Bad Request\r\n", "+1\r\n+nobody asked\r\n"])
  func whatIsNoReplyEndsTheConnection(answer: String) async throws {
    let connection = try await FakeConnection.greeted()
    let outcomes = Outcomes()
    try await withThrowingTaskGroup(of: Void.self) { group in
      await connection.start(RESPCommand("A"), in: &group, outcomes.note("A"))
      try await connection.answer(answer)
      await outcomes.wait(for: 1)
      await connection.settle()
      #expect(outcomes.all == [answer.hasPrefix("+") ? "A = 1" : "A: protocolViolation, sent"])
      #expect(!connection.channel.isActive)
    }
  }

  @Test func aSilentServerFailsTheGreeting() async throws {
    let connection = try await FakeConnection { $0.connectTimeout = .seconds(1) }
    await connection.advance(.milliseconds(1_001))
    let error = await #expect(throws: RedisError.self) { _ = try await connection.ready.get() }
    #expect(error?.kind == .timedOut)
    #expect(error?.message.contains("HELLO") == true)
    #expect(!connection.channel.isActive)
  }

  @Test func aServerThatHangsUpFailsTheGreeting() async throws {
    let connection = try await FakeConnection()
    try await connection.channel.close().get()
    let error = await #expect(throws: RedisError.self) { _ = try await connection.ready.get() }
    #expect(error?.kind == .connectionClosed)
  }

  private func wire(_ names: String...) -> String {
    names.map { "*1\r\n$\($0.utf8.count)\r\n\($0)\r\n" }.joined()
  }
}
