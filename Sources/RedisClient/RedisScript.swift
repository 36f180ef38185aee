import Crypto
import NIOCore
package import RESP

/// A Lua script with its digest and the start of its commands, encoded once.
package struct RedisScript: Sendable {
  /// For messages and metrics, `acquire` say.
  package let name: String
  package let source: String
  /// What `EVALSHA` calls it: SHA-1 in hexadecimal digits.
  package let digest: String
  private let byDigest: Start
  private let bySource: Start

  /// The part of a command that is the same for every call.
  private struct Start: Sendable {
    let name: String
    let arguments: ByteBuffer

    init(_ word: String, _ text: String, script: String) {
      name = "\(word) \(script)"
      var buffer = ByteBuffer()
      buffer.writeRESPBulk(word)
      buffer.writeRESPBulk(text)
      arguments = buffer
    }
  }

  package init(name: String, source: String) {
    self.name = name
    self.source = source
    // Not for security: servers name cached scripts so.
    let digits = Array("0123456789abcdef")
    digest = String(
      Insecure.SHA1.hash(data: Array(source.utf8)).flatMap { byte in
        [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      })
    byDigest = Start("EVALSHA", digest, script: name)
    bySource = Start("EVAL", source, script: name)
  }

  /// The script by its digest: fails with `NOSCRIPT` where the server does not know it.
  package func byDigest(keys: [String], arguments: [RESPArgument]) -> RESPCommand {
    command(byDigest, keys: keys, arguments: arguments)
  }

  /// The script itself: the server remembers it for the next `EVALSHA`.
  package func bySource(keys: [String], arguments: [RESPArgument]) -> RESPCommand {
    command(bySource, keys: keys, arguments: arguments)
  }

  private func command(
    _ start: Start, keys: [String], arguments: [RESPArgument]
  ) -> RESPCommand {
    var command = RESPCommand(
      start.name, prefix: start.arguments, count: 2,
      capacity: 16 + 64 * (keys.count + arguments.count))
    command.append(Int64(keys.count))
    for key in keys { command.append(key) }
    command.append(contentsOf: arguments)
    return command
  }
}
