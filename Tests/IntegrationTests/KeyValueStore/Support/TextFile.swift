import Glibc
import LocalServers

/// The whole of a file of this repository, which is small.
func textOfFile(_ path: String) throws -> String {
  guard let file = fopen(path, "r") else {
    throw LocalServersError(.system, "\(path): \(String(cString: strerror(errno)))")
  }
  defer { fclose(file) }
  var text: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 16 * 1024)
  while case let count = fread(&chunk, 1, chunk.count, file), count > 0 {
    text += chunk[..<count]
  }
  return String(decoding: text, as: UTF8.self)
}
