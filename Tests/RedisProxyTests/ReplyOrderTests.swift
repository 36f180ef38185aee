import NIOCore
import Testing

@testable import RedisProxy

@Suite struct ReplyOrderTests {
  private func bytes(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }

  /// An order that expects replies from these connections.
  private func expecting(_ sources: Int...) -> ReplyOrder<Int> {
    var order = ReplyOrder<Int>()
    for source in sources { _ = order.append(source) }
    return order
  }

  @Test func commandsInARowOnOneConnectionAreOneRun() {
    var order = ReplyOrder<Int>()
    let continues = [1, 1, 2, 1].map { order.append($0) }
    #expect(continues == [false, true, false, false])
    #expect(order.outstanding == 4)
  }

  @Test func whatComesEarlyIsHeldUntilItsTurn() {
    var order = expecting(1, 2, 1)
    #expect(!order.isTurn(of: 2))
    order.hold(bytes("b"), replies: 1, from: 2)
    #expect(order.heldBytes == 1)
    let released = order.written(1)
    #expect(released == [bytes("b")])
    #expect(order.isTurn(of: 1))
    #expect(order.heldBytes == 0)
    #expect(order.outstanding == 1)
    let last = order.written(1)
    #expect(last.isEmpty)
    #expect(order.isEmpty)
  }

  @Test func theStartOfAReplyGoesOutWhenItsTurnComesAndTheRestFollows() {
    var order = expecting(1, 2)
    order.hold(bytes("be"), replies: 0, from: 2)
    let released = order.written(1)
    #expect(released == [bytes("be")])
    #expect(order.isTurn(of: 2))
    #expect(order.outstanding == 1)
  }

  @Test func piecesOfOneHeldReplyStayTogether() {
    var order = expecting(1, 2, 2)
    order.hold(bytes("b"), replies: 0, from: 2)
    order.hold(bytes("b"), replies: 1, from: 2)
    order.hold(bytes("c"), replies: 1, from: 2)
    let released = order.written(1)
    #expect(released == [bytes("b"), bytes("b"), bytes("c")])
    #expect(order.isEmpty)
  }

  @Test func theProxysOwnRepliesKeepTheirPlace() {
    var order = ReplyOrder<Int>()
    let isKept = order.append(own: bytes("now"))
    #expect(!isKept)
    _ = order.append(1)
    let isKeptBehind = order.append(own: bytes("later"))
    #expect(isKeptBehind)
    _ = order.append(1)
    let released = order.written(1)
    #expect(released == [bytes("later")])
    #expect(order.outstanding == 1)
  }
}
