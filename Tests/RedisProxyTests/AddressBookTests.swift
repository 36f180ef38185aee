import NIOCore
import RedisClient
import Testing

@testable import RedisProxy

@Suite struct AddressBookTests {
  private func address(_ last: Int, network: Int = 0) throws -> SocketAddress {
    try SocketAddress(ipAddress: "10.0.\(network).\(last)", port: 6379)
  }

  private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

  @Test func connectionsAreSpreadOverTheAddresses() throws {
    var book = AddressBook([RedisAddress(host: "redis")], near: [])
    let all = try (1...3).map { try address($0) }
    book.update([all], at: start)
    let firsts = (0..<3).compactMap { _ in book.candidates(at: start).first }
    #expect(Set(firsts.map(\.description)).count == 3)
  }

  @Test func anAddressThatFailedComesLastForAWhile() throws {
    var book = AddressBook([RedisAddress(host: "redis")], near: [])
    let all = try (1...3).map { try address($0) }
    book.update([all], at: start)
    book.failed(all[1], at: start)
    for _ in 0..<6 { #expect(book.candidates(at: start).last == all[1]) }
    let later = start + AddressBook.penalty + .nanoseconds(1)
    #expect((0..<3).contains { _ in book.candidates(at: later).first == all[1] })
    book.failed(all[1], at: start)
    book.worked(all[1])
    #expect(!book.isPenalized(all[1], at: start))
  }

  @Test func nearAddressesComeFirst() throws {
    let range = try #require(AddressRange("10.0.7.0/24"))
    var book = AddressBook([RedisAddress(host: "redis")], near: [range])
    book.update([[try address(1), try address(2), try address(3, network: 7)]], at: start)
    for _ in 0..<3 {
      #expect(book.candidates(at: start).first == (try address(3, network: 7)))
    }
  }

  @Test func answersOfTheResolverAgeLiteralAddressesDoNot() throws {
    var book = AddressBook([RedisAddress(host: "redis")], near: [])
    #expect(!book.isFresh(at: start))
    book.update([[try address(1)]], at: start)
    #expect(book.isFresh(at: start))
    #expect(!book.isFresh(at: start + AddressBook.freshness))
    book.update([], at: start)
    #expect(book.contains(try address(1)), "a resolver that fails takes nothing away")
    let literal = AddressBook([RedisAddress(host: "10.0.0.9")], near: [])
    #expect(literal.isFresh(at: start + .hours(1)))
    #expect(literal.addresses.count == 1)
  }

  @Test(arguments: ["10.0.0.0/8", "10.0.0.1", "0.0.0.0/0", "10.0.0.0/30"])
  func rangesContainTheirAddresses(text: String) throws {
    #expect(try #require(AddressRange(text)).contains(try address(1)))
  }

  @Test func rangesContainNoOthers() throws {
    #expect(try !#require(AddressRange("10.0.1.0/24")).contains(try address(1)))
    #expect(try !#require(AddressRange("::/0")).contains(try address(1)))
    for text in ["", "10.0.0.0/33", "x", "10.0.0.0/-1", "10.0.0.0/8/8"] {
      #expect(AddressRange(text) == nil)
    }
  }

  @Test func timesFallIntoBucketsThatDouble() {
    var histogram = LatencyHistogram()
    histogram.record(.microseconds(15))
    histogram.record(.microseconds(17))
    histogram.record(.microseconds(33))
    histogram.record(.seconds(100))
    #expect(histogram.counts[0] == 1)
    #expect(histogram.counts[1] == 1)
    #expect(histogram.counts[2] == 1)
    #expect(histogram.counts.last == 1)
  }

  @Test func aNameThatCannotBeResolvedKeepsItsAddresses() throws {
    var book = AddressBook([RedisAddress(host: "a"), RedisAddress(host: "b")], near: [])
    book.update([[try address(1)], [try address(2)]], at: start)
    book.update([[try address(3)], []], at: start)
    #expect(book.addresses == [try address(3), try address(2)])
    #expect(book.name(of: try address(2))?.host == "b")
    #expect(book.name(of: try address(3))?.host == "a")
  }
}
