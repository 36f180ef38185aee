import NIOCore
import RESP
import Testing

@testable import RedisProxy

@Suite struct CommandTableTests {
  @Test func namesAreFoundInAnyCase() {
    let table = CommandTable.builtIn
    for name in ["get", "GET", "gEt"] { #expect(table[name].name == "get") }
    #expect(table["GEORADIUSBYMEMBER_RO"].isRead)
    #expect(table["zrevrangebyscore"].isRead)
  }

  @Test(arguments: ["", "nosuch", "ge", "gett", "averyveryverylongnamethatnocommandhas"])
  func whatIsUnknownGoesToThePrimary(name: String) {
    #expect(CommandTable.builtIn[name] == CommandTable.unknown)
  }

  @Test(arguments: [
    "getex", "getdel", "sort", "georadius", "georadiusbymember", "eval", "evalsha", "fcall",
    "xreadgroup", "bitfield", "set", "evalsha_ro", "scan", "hscan", "touch", "spop", "publish",
  ])
  func disguisedWritesAndWhatBelongsToOneServerAreNoReads(name: String) {
    #expect(!CommandTable.builtIn[name].isRead)
  }

  @Test func aServersAnswerDecides() throws {
    func command(_ name: String, _ flags: String...) -> RESPValue {
      .array([
        .bulkString(ByteBuffer(string: name)), 2, .array(flags.map { .simpleString($0) }), 1, 1, 1,
      ])
    }
    let table = try #require(
      CommandTable(
        reply: .array([
          command("get", "readonly", "fast"), command("json.get", "readonly"),
          command("BLPOP", "write", "blocking"), command("multi", "noscript"),
          command("scan", "readonly"), command("odd", "readonly", "write"),
        ])))
    #expect(table["JSON.GET"].isRead)
    #expect(table["blpop"].kind == .blocking)
    #expect(table["multi"].kind == .transaction(.multi))
    #expect(!table["scan"].isRead)
    #expect(!table["odd"].isRead)
    #expect(table["set"] == CommandTable.unknown)
    #expect(!table.knowsSetInfo)
    #expect(CommandTable(reply: .simpleError("NOPERM")) == nil)
  }

  @Test func argumentsCanBeLookedInto() {
    let arguments = CommandArguments(
      ByteBuffer(string: "*4\r\n$5\r\nXREAD\r\n$5\r\nblock\r\n$1\r\n0\r\n$0\r\n\r\n"))
    #expect(arguments.count == 4)
    #expect(arguments.contains("BLOCK"))
    #expect(arguments[3] == "")
    #expect(arguments[4] == nil)
  }

  /// As version 6.2 answers: no flag says what blocks, and one of the commands is no command.
  @Test func whatBlocksIsKnownOfServersThatDoNotFlagIt() throws {
    func command(_ name: String, category: String) -> RESPValue {
      .array([
        .bulkString(ByteBuffer(string: name)), -3, .array([.simpleString("write")]), 1, -2, 1,
        .array([.simpleString("@write"), .simpleString(category)]),
      ])
    }
    let table = try #require(
      CommandTable(
        reply: .array([
          command("blpop", category: "@slow"), command("bxpop", category: "@blocking"),
          command("lpop", category: "@list"),
        ])))
    #expect(table["blpop"].kind == .blocking)
    #expect(table["bxpop"].kind == .blocking)
    #expect(table["lpop"].kind == .plain)
    #expect(table["host:"].kind == .foreign)
    #expect(table["POST"].kind == .foreign)
  }
}
