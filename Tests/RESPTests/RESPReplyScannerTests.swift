import NIOCore
import RESP
import Testing

@Suite struct RESPReplyScannerTests {
  static let replies = [
    "+OK\r\n", "-ERR x\r\n", ":-1\r\n", "$-1\r\n", "*-1\r\n", "$0\r\n\r\n", "$5\r\na\r\nbc\r\n",
    "*0\r\n", "*2\r\n$1\r\na\r\n*1\r\n:1\r\n", "_\r\n", "#t\r\n", ",1.5\r\n", "(123\r\n",
    "!5\r\nERR x\r\n", "=5\r\ntxt:a\r\n", "%1\r\n+a\r\n%1\r\n+b\r\n~0\r\n", "~1\r\n+a\r\n",
    "|1\r\n+k\r\n+v\r\n*1\r\n+a\r\n", ">2\r\n+a\r\n+b\r\n", "*1\r\n|1\r\n+k\r\n+v\r\n:1\r\n",
  ]

  @Test(arguments: replies)
  func aReplyEndsWhereTheParserSays(reply: String) throws {
    let bytes = Array((reply + "+next\r\n").utf8)
    var scanner = RESPReplyScanner()
    let (position, isComplete) = try scanner.scan(bytes.span, from: 0)
    #expect(isComplete)
    #expect(position == reply.utf8.count)
    #expect(!scanner.isInReply)
  }

  @Test(arguments: replies)
  func repliesInPiecesOfAnySizeComeOutWhole(reply: String) throws {
    let bytes = Array(reply.utf8)
    for size in 1...bytes.count {
      var scanner = RESPReplyScanner()
      var kept: [UInt8] = []
      var seen: [UInt8] = []
      var ends = 0
      var start = 0
      while start < bytes.count {
        kept += bytes[start..<min(bytes.count, start + size)]
        start += size
        var position = 0
        while true {
          let (next, isComplete) = try scanner.scan(kept.span, from: position)
          seen += kept[position..<next]
          position = next
          if isComplete { ends += 1 } else { break }
        }
        kept.removeFirst(position)
      }
      #expect(seen == bytes, "pieces of \(size)")
      #expect(ends == 1, "pieces of \(size)")
    }
  }

  @Test func aLongPayloadIsPassedOnAsItComes() throws {
    var scanner = RESPReplyScanner()
    let head = Array("$1000000\r\nabc".utf8)
    #expect(try scanner.scan(head.span, from: 0) == (13, false))
    #expect(scanner.isInReply)
    let rest = [UInt8](repeating: 0, count: 999_999)
    #expect(try scanner.scan(rest.span, from: 0) == (999_999, true))
  }

  @Test func aLongLineIsPassedOnAsItComes() throws {
    var scanner = RESPReplyScanner()
    let line = Array(("-ERR " + String(repeating: "x", count: 1000)).utf8)
    #expect(try scanner.scan(line.span, from: 0) == (1005, false))
    #expect(try scanner.scan(Array("yz\r\n+OK".utf8).span, from: 0) == (4, true))
  }

  @Test(arguments: ["x\r\n", "$?\r\n", "*?\r\n", "$a\r\n", "\r\n", "*99999999999999\r\n"])
  func whatIsNoReplyIsRefused(text: String) {
    var scanner = RESPReplyScanner()
    #expect(throws: RESPScanError.self) { try scanner.scan(Array(text.utf8).span, from: 0) }
  }
}
