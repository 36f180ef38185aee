import NIOCore
import RESP
import RedisClient
import Testing

@Suite struct RedisScriptTests {
  @Test func encodesBothForms() {
    let script = RedisScript(name: "one", source: "return 1")
    #expect(script.digest == "e0e1f9fabfc9d4800c877a703b823ac0578ff8db")
    let byDigest = script.byDigest(keys: ["k"], arguments: ["a", 7])
    #expect(
      text(of: byDigest)
        == "*6\r\n$7\r\nEVALSHA\r\n$40\r\ne0e1f9fabfc9d4800c877a703b823ac0578ff8db\r\n"
        + "$1\r\n1\r\n$1\r\nk\r\n$1\r\na\r\n$1\r\n7\r\n")
    let bySource = script.bySource(keys: [], arguments: [])
    #expect(text(of: bySource) == "*3\r\n$4\r\nEVAL\r\n$8\r\nreturn 1\r\n$1\r\n0\r\n")
    #expect(bySource.name == "EVAL one")
  }

  private func text(of command: RESPCommand) -> String {
    var buffer = ByteBuffer()
    command.write(into: &buffer)
    return String(buffer: buffer)
  }
}
