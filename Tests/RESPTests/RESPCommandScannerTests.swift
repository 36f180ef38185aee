import NIOCore
import RESP
import Testing

@Suite struct RESPCommandScannerTests {
  private func scan(
    _ scanner: inout RESPCommandScanner, _ text: String
  ) throws(RESPScanError) -> RESPCommandScanner.Step {
    let bytes = Array(text.utf8)
    return try scanner.scan(bytes.span)
  }

  private static let set = "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$4\r\n\r\n\r\n\r\n"

  @Test func aCommandEndsWhereItsLastArgumentDoes() throws {
    var scanner = RESPCommandScanner()
    #expect(try scan(&scanner, Self.set + "*1\r\n") == .command)
    #expect(scanner.length == Self.set.utf8.count)
    #expect(scanner.argumentCount == 3)
    #expect(scanner.name == 8..<11)
  }

  @Test func itGoesOnWhereverTheBytesStopped() throws {
    for end in 0..<Self.set.utf8.count {
      var scanner = RESPCommandScanner()
      #expect(
        try scan(&scanner, String(decoding: Self.set.utf8.prefix(end), as: UTF8.self))
          == .incomplete)
      #expect(try scan(&scanner, Self.set) == .command, "cut at \(end)")
      #expect(scanner.length == Self.set.utf8.count)
    }
  }

  @Test func aLongCommandIsForwardedWhileItArrives() throws {
    var scanner = RESPCommandScanner()
    let head = "*2\r\n$4\r\nECHO\r\n$10\r\n"
    #expect(try scan(&scanner, head + "12345") == .incomplete)
    #expect(scanner.hasName(in: head.utf8.count))
    let forwarded = scanner.forwardable(of: head.utf8.count + 5)
    #expect(forwarded == head.utf8.count + 5)
    scanner.drop(forwarded)
    #expect(try scan(&scanner, "67890\r") == .incomplete)
    #expect(scanner.forwardable(of: 6) == 5)
    scanner.drop(5)
    #expect(try scan(&scanner, "\r\n*1") == .command)
    #expect(scanner.length == 2)
  }

  @Test(arguments: ["*0\r\n", "*-1\r\n", "\r\n", "\n"])
  func emptyCommandsMeanNothing(text: String) throws {
    var scanner = RESPCommandScanner()
    #expect(try scan(&scanner, text) == .nothing)
    #expect(scanner.length == text.utf8.count)
  }

  @Test func wordsInALineAreACommand() throws {
    var scanner = RESPCommandScanner()
    #expect(try scan(&scanner, "PI") == .incomplete)
    #expect(try scan(&scanner, "PING a\r\nx") == .inline)
    #expect(scanner.length == 8)
  }

  @Test(arguments: [
    ("*a\r\n", RESPScanError.multibulkLength), ("*1 \r\n", .multibulkLength),
    ("*01\r\n", .multibulkLength), ("*1048577\r\n", .multibulkLength),
    ("*-0\r\n", .multibulkLength),
    ("*1\r\n:1\r\n", .expectedBulk(0x3A)), ("*1\r\n$-1\r\n", .bulkLength),
    ("*1\r\n$536870913\r\n", .bulkLength), ("*1\r\n$+1\r\n", .bulkLength),
    ("*1\r\n$1\n\na", .bulkLength), ("*1\r\n$1\r\nabc\r\n", .bulkEnd),
    ("*1111111111111111111111\r\n", .multibulkTooLong),
    ("*1\r\n$1111111111111111111111\r\n", .bulkTooLong),
  ])
  func whatRedisWouldRefuseIsRefused(text: String, error: RESPScanError) {
    var scanner = RESPCommandScanner()
    #expect(throws: error) { try scan(&scanner, text) }
  }

  @Test func anEndlessLineIsRefused() {
    var scanner = RESPCommandScanner()
    #expect(throws: RESPScanError.inlineTooLong) {
      try scan(&scanner, String(repeating: "x", count: 70_000))
    }
  }

  @Test func linesAreSplitAsRedisDoes() throws {
    let line = #"SET  "a\x41\n" 'it\'s' plain"quoted" "#
    #expect(
      try InlineCommand.words(Array(line.utf8).span).map { String(decoding: $0, as: UTF8.self) }
        == ["SET", "aA\n", "it's", "plainquoted"])
    #expect(throws: RESPScanError.unbalancedQuotes) {
      try InlineCommand.words(Array(#"a "b"#.utf8).span)
    }
    #expect(throws: RESPScanError.unbalancedQuotes) {
      try InlineCommand.words(Array(#"a "b"c"#.utf8).span)
    }
    #expect(
      InlineCommand.encode([Array("PING".utf8)]) == ByteBuffer(string: "*1\r\n$4\r\nPING\r\n"))
  }
}
