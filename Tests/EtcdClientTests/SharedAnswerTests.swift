import EtcdClient
import Testing

@Suite struct SharedAnswerTests {
  @Test func allWhoWaitGetTheSameAnswer() async {
    let (gate, open) = AsyncStream.makeStream(of: Int.self)
    let answer = SharedAnswer { await gate.first { _ in true } }
    async let first = answer.value(within: .seconds(60))
    async let second = answer.value(within: .seconds(60))
    open.yield(7)
    #expect(await first == 7)
    #expect(await second == 7)
    #expect(await answer.value(within: .seconds(60)) == 7)
  }

  @Test func whoGivesUpDoesNotWait() async {
    let (gate, open) = AsyncStream.makeStream(of: Int.self)
    let answer = SharedAnswer { await gate.first { _ in true } }
    #expect(await answer.value(within: .milliseconds(1)) == nil)
    let task = Task { await answer.value(within: .seconds(60)) }
    task.cancel()
    #expect(await task.value == nil)
    open.yield(7)
    #expect(await answer.value(within: .seconds(60)) == 7)
  }
}
