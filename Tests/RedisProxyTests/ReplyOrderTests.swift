import NIOCore
import Testing

@testable import RedisProxy

@Suite struct ReplyOrderTests {
  private func bytes(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }

  @Test func `commands in a row on one connection are one run`() {
    var order = ReplyOrder<Int>()
    #expect(!order.append(1))
    #expect(order.append(1))
    #expect(!order.append(2))
    #expect(!order.append(1))
    #expect(order.outstanding == 4)
  }

  @Test func `what comes early is held until its turn`() {
    var order = ReplyOrder<Int>()
    _ = order.append(1)
    _ = order.append(2)
    _ = order.append(1)
    #expect(!order.isTurn(of: 2))
    order.hold(bytes("b"), replies: 1, from: 2)
    #expect(order.heldBytes == 1)
    #expect(order.written(1) == [bytes("b")])
    #expect(order.isTurn(of: 1))
    #expect(order.heldBytes == 0)
    #expect(order.outstanding == 1)
    #expect(order.written(1).isEmpty)
    #expect(order.isEmpty)
  }

  @Test func `the start of a reply goes out when its turn comes, the rest follows`() {
    var order = ReplyOrder<Int>()
    _ = order.append(1)
    _ = order.append(2)
    order.hold(bytes("be"), replies: 0, from: 2)
    #expect(order.written(1) == [bytes("be")])
    #expect(order.isTurn(of: 2))
    #expect(order.outstanding == 1)
    #expect(order.written(1).isEmpty)
  }

  @Test func `pieces of one held reply stay together`() {
    var order = ReplyOrder<Int>()
    _ = order.append(1)
    _ = order.append(2)
    _ = order.append(2)
    order.hold(bytes("b"), replies: 0, from: 2)
    order.hold(bytes("b"), replies: 1, from: 2)
    order.hold(bytes("c"), replies: 1, from: 2)
    #expect(order.written(1) == [bytes("b"), bytes("b"), bytes("c")])
    #expect(order.isEmpty)
  }

  @Test func `the proxy's own replies keep their place`() {
    var order = ReplyOrder<Int>()
    #expect(!order.append(own: bytes("now")))
    _ = order.append(1)
    #expect(order.append(own: bytes("later")))
    _ = order.append(1)
    #expect(order.written(1) == [bytes("later")])
    #expect(order.outstanding == 1)
  }
}
