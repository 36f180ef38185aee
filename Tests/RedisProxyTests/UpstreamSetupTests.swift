import NIOCore
import RESP
import RedisClient
import Testing

@testable import RedisProxy

@Suite struct UpstreamSetupTests {
  private func sent(_ action: UpstreamSetup.Action) -> String {
    guard case .send(let command) = action else { return "" }
    var buffer = ByteBuffer()
    command.write(into: &buffer)
    return String(buffer: buffer).split(separator: "\r\n").filter {
      !$0.hasPrefix("*") && !$0.hasPrefix("$")
    }.joined(separator: " ")
  }

  @Test func itLogsInSaysItsVersionSelectsAndAsks() {
    var setup = UpstreamSetup(
      version: .three, database: 2,
      credentials: RedisCredentials(username: "u", password: "p"), wantsTable: true)
    #expect(sent(setup.begin()) == "AUTH u p")
    #expect(sent(setup.receive(.simpleString("OK"))) == "HELLO 3")
    #expect(sent(setup.receive(.map([]))) == "SELECT 2")
    #expect(sent(setup.receive(.simpleString("OK"))) == "ROLE")
    #expect(sent(setup.receive(["slave"])) == "COMMAND")
    guard case .ready(let greeting) = setup.receive([]) else {
      Issue.record("not ready")
      return
    }
    #expect(greeting.role == "slave")
    #expect(greeting.hello == .map([]))
    #expect(greeting.table == nil)
  }

  @Test func aLockedServerIsLetThroughForVersion2SoThatItSpeaksForItself() {
    var setup = UpstreamSetup(version: .two, database: 0, credentials: nil, wantsTable: false)
    #expect(sent(setup.begin()) == "HELLO 2")
    guard case .ready(let greeting) = setup.receive(.simpleError("NOAUTH HELLO must be")) else {
      Issue.record("not ready")
      return
    }
    #expect(greeting.hello == nil)
    var other = UpstreamSetup(version: .three, database: 0, credentials: nil, wantsTable: false)
    _ = other.begin()
    guard case .refused("NOAUTH x") = other.receive(.simpleError("NOAUTH x")) else {
      Issue.record("not refused")
      return
    }
  }

  @Test func aWrongPasswordIsTheServersToTell() {
    var setup = UpstreamSetup(
      version: .two, database: 0, credentials: RedisCredentials(password: "p"), wantsTable: false)
    #expect(sent(setup.begin()) == "AUTH p")
    guard case .refused("WRONGPASS x") = setup.receive(.simpleError("WRONGPASS x")) else {
      Issue.record("not refused")
      return
    }
  }
}
