import Testing

@testable import Coordination

@Suite struct EtcdSemaphoreRecordTests {
  typealias Record = EtcdSemaphoreRecord

  @Test func aRecordIsFoundAgainInItsText() {
    let record = Record(
      length: 3, total: 5, trimmed: 1, reclaimed: 7, lost: 2, overLengthMilliseconds: 1234)
    #expect(Record(record.value) == record)
    #expect(
      String(decoding: record.value, as: UTF8.self)
        == #"{"length":3,"total":5,"trimmed":1,"reclaimed":7,"lost":2,"#
        + #""overLengthMilliseconds":1234}"#)
  }

  @Test(arguments: ["", "x", "{}", "[3]", #"{"length":"3"}"#, "{\"length\":3", "\u{0}"])
  func otherValuesAreNoRecords(text: String) { #expect(Record(Array(text.utf8)) == nil) }

  @Test func whatIsAsItShouldBeIsLeftAlone() {
    #expect(
      Record.change(of: Record(length: 3, total: 3), queue: 1, inFlight: 2, length: 3) == nil)
    // Draining.
    #expect(
      Record.change(of: Record(length: 1, total: 3), queue: 0, inFlight: 3, length: 1) == nil)
  }

  @Test func whatIsMissingWasReclaimed() {
    let change = Record.change(
      of: Record(length: 5, total: 5, reclaimed: 4), queue: 1, inFlight: 2, length: 5)
    #expect(change?.filled == 2 && change?.trimmed == 0)
    #expect(change?.record == Record(length: 5, total: 5, reclaimed: 6))
  }

  /// etcd takes requests of 1.5 MiB.
  @Test(arguments: [1, 60, 1000, 12_500]) func theNamesOfAStepFitIntoOneRequest(length: Int) {
    let step = Record.step(nameLength: length)
    #expect((50...1000).contains(step) && step * (length + 64) <= 1 << 20)
  }

  @Test func aLongQueueIsFilledAndTrimmedStepByStep() {
    var record: Record?
    var queue = 0
    var steps = 0
    func settle(_ length: Int, inFlight: Int = 0) {
      while let change = Record.change(
        of: record, queue: queue, inFlight: inFlight, length: length)
      {
        #expect(change.filled <= 1000 && change.trimmed <= 1000)
        record = change.record
        queue += change.filled - change.trimmed
        #expect(record.map { $0.total >= queue + inFlight } == true)
        steps += 1
      }
    }
    settle(2500)
    #expect(queue == 2500 && steps == 3)
    settle(10)
    #expect(queue == 10)
    settle(7, inFlight: 2)
    #expect(queue == 5)
    // Nothing of that was reclaimed.
    #expect(record == Record(length: 7, total: 7))
  }

  /// Reclaimed between two steps of a trimming.
  @Test func aTrimmingHidesNoMoreThanItTakes() {
    let trimming = Record.change(
      of: Record(length: 10, total: 10), queue: 6, inFlight: 4, length: 7)
    #expect(trimming?.trimmed == 3)
    let after = Record.change(of: trimming?.record, queue: 3, inFlight: 3, length: 7)
    #expect(after?.record == Record(length: 7, total: 7, reclaimed: 1))
    #expect(after?.filled == 1)
  }
}
