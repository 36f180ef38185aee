import NIOCore
import RESP
import Testing

@testable import RedisClient

@Suite struct ConnectionSetupTests {
  private let secret = RedisCredentials(username: "alice", password: "se cret")

  @Test func greetsWithEverythingAtOnce() {
    var setup = setup("redis://alice:pw@host/2")
    #expect(text(of: setup.begin()) == "HELLO 3 AUTH alice pw SETNAME hippocampus")
    #expect(text(of: setup.receive(.map([]))) == "SELECT 2")
    #expect(text(of: setup.receive(.simpleString("OK"))) == "ready 3")
  }

  @Test func asksForNoMoreThanIsConfigured() {
    var configuration = RedisConfiguration(address: RedisAddress(host: "host"))
    configuration.clientName = "\n"
    var setup = ConnectionSetup(configuration)
    #expect(text(of: setup.begin()) == "HELLO 3")
    #expect(text(of: setup.receive(.map([]))) == "ready 3")
  }

  @Test func aPasswordAloneIsForTheDefaultUser() {
    let setup = setup("redis://:pw@host")
    #expect(text(of: setup.begin()) == "HELLO 3 AUTH default pw SETNAME hippocampus")
  }

  @Test(arguments: [
    "ERR unknown command `HELLO`, with args beginning with: `3`, `AUTH`, `alice`, `pw`, ",
    "ERR unknown command 'HELLO'", "NOPROTO unsupported protocol version",
    "NOPERM this user has no permissions to run the 'hello' command",
  ])
  func fallsBackToVersion2(refusal: String) {
    var setup = setup("redis://alice:pw@host/2")
    _ = setup.begin()
    #expect(text(of: setup.receive(.simpleError(refusal))) == "AUTH alice pw")
    #expect(text(of: setup.receive(.simpleString("OK"))) == "CLIENT SETNAME hippocampus")
    // Being nameless is no reason to stay away.
    #expect(text(of: setup.receive(.simpleError("NOPERM"))) == "SELECT 2")
    #expect(text(of: setup.receive(.simpleString("OK"))) == "ready 2")
  }

  @Test func version2WithAPasswordAlone() {
    var setup = setup("redis://:pw@host")
    _ = setup.begin()
    #expect(text(of: setup.receive(.simpleError("NOPROTO"))) == "AUTH pw")
  }

  @Test(arguments: [
    ("WRONGPASS invalid username-password pair or user is disabled.", "WRONGPASS"),
    ("NOAUTH HELLO must be called with the client already authenticated", "NOAUTH"),
    ("LOADING Redis is loading the dataset in memory", "LOADING"),
    ("ERR max number of clients reached", "ERR"),
  ])
  func saysWhatWasRefused(refusal: String, code: String) throws {
    var setup = setup("host:1")
    _ = setup.begin()
    guard case .fail(let error) = setup.receive(.simpleError(refusal)) else {
      Issue.record("not refused")
      return
    }
    #expect(error.kind == .server(code: code))
    #expect(error.address == "host:1")
    #expect(error.message.contains(refusal))
  }

  @Test func neverRepeatsAPasswordThatTheServerRepeats() {
    var setup = setup("redis://alice:secret@host")
    _ = setup.begin()
    _ = setup.receive(.simpleError("ERR unknown command 'HELLO'"))
    let action = setup.receive(
      .simpleError("ERR unknown command `AUTH`, with args beginning with: `alice`, `secret`, "))
    #expect(text(of: action) == "fail Redis host:6379: AUTH was refused: ERR")
  }

  @Test func aDatabaseThatIsNotThere() {
    var setup = setup("redis://host/99")
    _ = setup.begin()
    _ = setup.receive(.map([]))
    let action = setup.receive(.simpleError("ERR DB index is out of range"))
    #expect(
      text(of: action)
        == "fail Redis host:6379: SELECT was refused: ERR DB index is out of range")
  }

  private func setup(_ address: String) -> ConnectionSetup {
    guard let address = try? RedisAddress(parsing: address) else {
      Issue.record("\(address)")
      return ConnectionSetup(RedisConfiguration(address: RedisAddress(host: "")))
    }
    return ConnectionSetup(RedisConfiguration(address: address))
  }

  private func text(of action: ConnectionSetup.Action) -> String {
    switch action {
    case .send(let command): text(of: command)
    case .ready(let version): "ready \(version.rawValue)"
    case .fail(let error): "fail \(error)"
    }
  }

  private func text(of command: RESPCommand) -> String {
    words(of: command).joined(separator: " ")
  }
}

/// The arguments of a command.
func words(of command: RESPCommand) -> [String] {
  var buffer = ByteBuffer()
  command.write(into: &buffer)
  var parser = RESPParser()
  parser.append(buffer)
  return (try? parser.next())?.array?.compactMap(\.string) ?? []
}
