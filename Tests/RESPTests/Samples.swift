import NIOCore
import RESP
import Testing

/// Bytes on the wire, the value that they are, and how the encoder spells that value.
struct Sample: Sendable, CustomTestStringConvertible {
  let wire: String
  let value: RESPValue
  /// The version 3 bytes; nil where the encoder chooses others than `wire`.
  let isCanonical: Bool

  init(_ wire: String, _ value: RESPValue, isCanonical: Bool = true) {
    self.wire = wire
    self.value = value
    self.isCanonical = isCanonical
  }

  var testDescription: String { wire.debugDescription }

  static let all: [Sample] = [
    Sample("+OK\r\n", .simpleString("OK")),
    Sample("+\r\n", .simpleString("")),
    Sample("-ERR unknown command\r\n", .simpleError("ERR unknown command")),
    Sample(":0\r\n", 0),
    Sample(":1000\r\n", 1000),
    Sample(":-9223372036854775808\r\n", .integer(.min)),
    Sample(":9223372036854775807\r\n", .integer(.max)),
    Sample(":+7\r\n", 7, isCanonical: false),
    Sample("$5\r\nhello\r\n", "hello"),
    Sample("$0\r\n\r\n", ""),
    Sample("$4\r\n\r\n\r\n\r\n", "\r\n\r\n"),
    Sample("$-1\r\n", .null, isCanonical: false),
    Sample("*-1\r\n", .null, isCanonical: false),
    Sample("_\r\n", .null),
    Sample("*0\r\n", []),
    Sample("*3\r\n:1\r\n$1\r\na\r\n*1\r\n_\r\n", [1, "a", [.null]]),
    Sample("#t\r\n", .boolean(true)),
    Sample("#f\r\n", .boolean(false)),
    Sample(",1.5\r\n", .double(1.5)),
    Sample(",10\r\n", .double(10), isCanonical: false),
    Sample(",-1e-07\r\n", .double(-1e-7)),
    Sample(",inf\r\n", .double(.infinity)),
    Sample(",-inf\r\n", .double(-.infinity)),
    Sample(
      "(3492890328409238509324850943850943825024385\r\n",
      .bigNumber("3492890328409238509324850943850943825024385")),
    Sample("(-12\r\n", .bigNumber("-12")),
    Sample(
      "!21\r\nSYNTAX invalid syntax\r\n", .bulkError(ByteBuffer(string: "SYNTAX invalid syntax"))),
    Sample("=15\r\ntxt:Some string\r\n", .verbatim(.text, ByteBuffer(string: "Some string"))),
    Sample("=4\r\nmkd:\r\n", .verbatim(.markdown, ByteBuffer())),
    Sample("%0\r\n", .map([])),
    Sample(
      "%2\r\n+first\r\n:1\r\n+second\r\n*1\r\n:2\r\n",
      .map([
        RESPMapEntry(key: .simpleString("first"), value: 1),
        RESPMapEntry(key: .simpleString("second"), value: [2]),
      ])),
    Sample("~2\r\n:1\r\n#t\r\n", .set([1, .boolean(true)])),
    Sample("~0\r\n", .set([])),
    Sample(
      ">2\r\n+pubsub\r\n+message\r\n", .push([.simpleString("pubsub"), .simpleString("message")])),
    Sample(
      "$?\r\n;4\r\nHell\r\n;5\r\no wor\r\n;1\r\nd\r\n;0\r\n", "Hello word", isCanonical: false),
    Sample("$?\r\n;0\r\n", "", isCanonical: false),
    Sample(
      "*?\r\n:1\r\n*?\r\n.\r\n$?\r\n;1\r\na\r\n;0\r\n.\r\n", [1, [], "a"], isCanonical: false),
    Sample("~?\r\n+a\r\n.\r\n", .set([.simpleString("a")]), isCanonical: false),
    Sample(">?\r\n+a\r\n.\r\n", .push([.simpleString("a")]), isCanonical: false),
    Sample(
      "%?\r\n+a\r\n:1\r\n.\r\n", .map([RESPMapEntry(key: .simpleString("a"), value: 1)]),
      isCanonical: false),
    Sample("|1\r\n+ttl\r\n:5\r\n*1\r\n|0\r\n:1\r\n", [1], isCanonical: false),
    Sample("*1\r\n|?\r\n+ttl\r\n:5\r\n.\r\n:1\r\n", [1], isCanonical: false),
  ]
}
