import Glibc
import LocalServers

/// Files of tests.
enum SmallTestFile {
  static func read(_ path: String) throws -> [UInt8] {
    guard let file = fopen(path, "rb") else {
      throw LocalServersError(.system, "cannot read \(path)")
    }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&chunk, 1, chunk.count, file), count > 0 {
      bytes += chunk[..<count]
    }
    return bytes
  }

  static func write(_ text: String, to path: String) throws {
    guard let file = fopen(path, "wb") else {
      throw LocalServersError(.system, "cannot write \(path)")
    }
    defer { fclose(file) }
    _ = fputs(text, file)
  }
}
