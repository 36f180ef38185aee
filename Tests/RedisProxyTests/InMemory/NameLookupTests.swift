import NIOCore
import RedisClient
import Testing

@testable import RedisProxy

@Suite struct NameLookupTests {
  /// A resolver whose answers the test gives.
  private final class Resolver {
    var questions: [EventLoopPromise<[[SocketAddress]]>] = []

    func ask(
      _ names: [RedisAddress], _ eventLoop: any EventLoop
    ) -> EventLoopFuture<[[SocketAddress]]> {
      let promise = eventLoop.makePromise(of: [[SocketAddress]].self)
      questions.append(promise)
      return promise.futureResult
    }

    /// What nobody answers has to be failed before it goes.
    func end() {
      for question in questions { question.fail(ChannelError.eof) }
    }
  }

  private func proxy(_ resolver: Resolver) throws -> MemoryProxy {
    try MemoryProxy(
      configure: {
        $0.primary = [RedisAddress(host: "redis", port: 1)]
        $0.connectTimeout = .seconds(5)
      }, resolver: { resolver.ask($0, $1) })
  }

  private func address(_ port: Int) throws -> SocketAddress {
    try SocketAddress(ipAddress: "127.0.0.1", port: port)
  }

  @Test func knownAddressesServeWhileTheResolverDoesNotAnswer() throws {
    let resolver = Resolver()
    defer { resolver.end() }
    let proxy = try proxy(resolver)
    #expect(proxy.connections(to: 1).isEmpty)
    resolver.questions[0].succeed([[try address(1)]])
    proxy.run()
    #expect(proxy.connections(to: 1).count == 1)
    // From here on it does not answer.
    proxy.advance(by: .seconds(20))
    #expect(resolver.questions.count == 2)
    proxy.unplug(1)
    proxy.plug(1)
    let client = try proxy.connect()
    try client.send("GET a")
    proxy.advance(by: .seconds(3))
    #expect(try proxy.shared.received == ["GET a"])
    #expect(resolver.questions.count == 2)
  }

  @Test func anAnswerMovesConnectionsToOtherAddresses() throws {
    let resolver = Resolver()
    defer { resolver.end() }
    let proxy = try proxy(resolver)
    resolver.questions[0].succeed([[try address(1)]])
    proxy.advance(by: .seconds(7))
    resolver.questions[1].succeed([[try address(2)]])
    proxy.advance(by: .seconds(2))
    #expect(proxy.connections(to: 1).isEmpty)
    #expect(proxy.connections(to: 2).count == 1)
  }

  @Test func theConnectTimeoutIncludesTheResolver() throws {
    let resolver = Resolver()
    defer { resolver.end() }
    let proxy = try proxy(resolver)
    let client = try proxy.connect()
    try client.send("GET a")
    proxy.advance(by: .seconds(7))
    #expect(try client.received().contains("redis cannot be resolved"))
    #expect(resolver.questions.count == 1)
  }
}
