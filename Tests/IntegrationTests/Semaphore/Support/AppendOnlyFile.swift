import Glibc
import LocalServers

/// What a Redis server with `appendonly` has written down: all changes of its data, in order, also
/// those before it was killed.
enum AppendOnlyFile {
  /// Each command as its words.
  static func commands(of server: RedisServer) throws -> [[String]] {
    // The first name is that of Redis 7; no test writes enough for a second file.
    for name in ["appendonlydir/appendonly.aof.1.incr.aof", "appendonly.aof"] {
      guard let bytes = read("\(server.directory)/\(name)") else { continue }
      var reader = Reader(bytes: bytes)
      var commands: [[String]] = []
      while let command = reader.command() { commands.append(command) }
      return commands
    }
    throw LocalServersError(.system, "\(server.name) has no append-only file")
  }

  private static func read(_ path: String) -> [UInt8]? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = fread(&buffer, 1, buffer.count, file)
      guard count > 0 else { return bytes }
      bytes += buffer[..<count]
    }
  }

  private struct Reader {
    let bytes: [UInt8]
    private var place = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// Nil at the end, which may lie within a command.
    mutating func command() -> [String]? {
      guard let count = length(after: "*") else { return nil }
      var words: [String] = []
      for _ in 0..<count {
        guard let length = length(after: "$"), place + length + 2 <= bytes.count else { return nil }
        words.append(String(decoding: bytes[place..<place + length], as: UTF8.self))
        place += length + 2
      }
      return words
    }

    private mutating func length(after sign: Unicode.Scalar) -> Int? {
      guard place < bytes.count, bytes[place] == UInt8(ascii: sign),
        let end = bytes[place...].firstIndex(of: UInt8(ascii: "\n"))
      else { return nil }
      defer { place = end + 1 }
      return Int(String(decoding: bytes[place + 1..<end - 1], as: UTF8.self))
    }
  }
}
