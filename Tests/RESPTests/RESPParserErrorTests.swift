import NIOCore
import RESP
import Testing

@Suite struct RESPParserErrorTests {
  @Test(
    arguments: [
      ("?", .unknownType), ("x\r\n", .unknownType), ("\r\n", .unknownType),
      ("HTTP/1.1 400", .unknownType),
      ("+OK\n", .missingTerminator), ("+O\rK\r\n", .missingTerminator),
      ("$2\r\nabc\r\n", .missingTerminator), ("$2\r\nab\n\r", .missingTerminator),
      (":\r\n", .malformed), (":-\r\n", .malformed), (":1a\r\n", .malformed),
      (": 1\r\n", .malformed),
      (":9223372036854775808\r\n", .malformed), (":-9223372036854775809\r\n", .malformed),
      (":99999999999999999999999\r\n", .malformed),
      ("$\r\n", .malformed), ("$-2\r\n", .malformed), ("$a\r\n", .malformed),
      ("*-2\r\n", .malformed),
      ("%-1\r\n", .malformed), ("~-1\r\n", .malformed), ("!-1\r\n", .malformed),
      ("=?\r\n", .malformed),
      ("_x\r\n", .malformed), ("#\r\n", .malformed), ("#x\r\n", .malformed),
      ("#tt\r\n", .malformed),
      (",\r\n", .malformed), (",0x1p3\r\n", .malformed), (",infinity\r\n", .malformed),
      (",1e\r\n", .malformed), ("(\r\n", .malformed), ("(-\r\n", .malformed),
      ("(1.5\r\n", .malformed),
      ("=3\r\ntxt\r\n", .malformed), ("=5\r\ntext:\r\n", .malformed), (".x\r\n", .malformed),
      (".\r\n", .misplaced), (";1\r\na\r\n", .misplaced), ("*1\r\n.\r\n", .misplaced),
      ("*?\r\n;0\r\n", .misplaced), ("$?\r\n+a\r\n", .misplaced), ("$?\r\n.\r\n", .misplaced),
      ("%?\r\n+key\r\n.\r\n", .misplaced), ("*1\r\n>1\r\n+a\r\n", .misplaced),
      ("*?\r\n|0\r\n.\r\n", .misplaced),
    ] as [(String, RESPError.Kind)])
  func namesTheFault(wire: String, kind: RESPError.Kind) throws {
    let error = #expect(throws: RESPError.self) { try parseAll(wire) }
    #expect(error?.kind == kind)
  }

  @Test func saysWhereTheFaultIs() throws {
    let error = #expect(throws: RESPError.self) { try parseAll("+OK\r\n*2\r\n:1\r\n:x\r\n") }
    #expect(error?.offset == 13)
    #expect(error?.description == "RESP: ':' needs a 64-bit decimal integer (at byte 13)")
  }

  @Test func staysBrokenOnceBroken() throws {
    var parser = RESPParser()
    parser.append(ByteBuffer(string: "x"))
    let first = #expect(throws: RESPError.self) { try parser.next() }
    parser.append(ByteBuffer(string: "+OK\r\n"))
    let second = #expect(throws: RESPError.self) { try parser.next() }
    #expect(first == second)
  }

  static let small = RESPLimits(
    bulkLength: 8, lineLength: 16, depth: 3, elementsPerAggregate: 4, elementsPerReply: 6,
    replyLength: 80)

  @Test(arguments: [
    "$8\r\n12345678\r\n", "+123456789012345\r\n", "*1\r\n*1\r\n*1\r\n:1\r\n",
    "*4\r\n:1\r\n:1\r\n:1\r\n:1\r\n",
    "%2\r\n:1\r\n:1\r\n:1\r\n:1\r\n", "*2\r\n*2\r\n:1\r\n:1\r\n*2\r\n:1\r\n:1\r\n",
    "$?\r\n;4\r\nabcd\r\n;4\r\nabcd\r\n;0\r\n", "*?\r\n:1\r\n:1\r\n:1\r\n:1\r\n.\r\n",
  ])
  func takesWhatIsJustWithinTheLimits(wire: String) throws {
    #expect(try parseAll(wire + wire + wire, limits: Self.small).count == 3)
  }

  @Test(arguments: [
    "$9\r\n", "!9\r\n", "$9223372036854775807\r\n", "+1234567890123456\r\n", "+1234567890123456789",
    "*1\r\n*1\r\n*1\r\n*1\r\n", "|0\r\n|0\r\n|0\r\n|0\r\n", "*1\r\n*1\r\n*1\r\n$?\r\n",
    "*5\r\n", "%3\r\n", "~5\r\n", "|3\r\n", "*9223372036854775807\r\n", "%9223372036854775807\r\n",
    "*2\r\n*4\r\n:1\r\n:1\r\n:1\r\n:1\r\n*1\r\n",
    "*?\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n", "*4\r\n*?\r\n:1\r\n:1\r\n:1\r\n",
    "$?\r\n;4\r\nabcd\r\n;5\r\nabcde\r\n",
  ])
  func refusesWhatIsJustBeyond(wire: String) throws {
    let error = #expect(throws: RESPError.self) { try parseAll(wire, limits: Self.small) }
    #expect(error?.kind == .limitExceeded)
  }

  @Test func boundsTheLengthOfAWholeReply() throws {
    var limits = RESPLimits.client
    let wire = "*2\r\n$5\r\nhello\r\n$6\r\nworlds\r\n"
    limits.replyLength = wire.utf8.count
    #expect(try parseAll(wire + wire, limits: limits).count == 2)
    limits.replyLength -= 1
    let tooLong = #expect(throws: RESPError.self) { try parseAll(wire, limits: limits) }
    #expect(tooLong?.kind == .limitExceeded)
  }
}
