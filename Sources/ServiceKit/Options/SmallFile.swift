import Glibc

/// Reads whole files that are known to be small.
package enum SmallFile {
  package struct Failure: Error {
    /// In words: "no such file or directory".
    package let reason: String
  }

  /// The bytes of a file.
  ///
  /// - Parameter limit: the most bytes that are read; a larger file is a failure.
  package static func read(_ path: String, limit: Int) throws(Failure) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure(errno) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw failure(errno)
      }
      if count == 0 { return bytes }
      guard bytes.count + count <= limit else {
        throw Failure(reason: "it is larger than \(limit) bytes")
      }
      bytes.append(contentsOf: chunk[..<count])
    }
  }

  private static func failure(_ code: Int32) -> Failure { Failure(reason: SystemError.text(code)) }
}

/// The words of the C library for an error number.
enum SystemError {
  static func text(_ code: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
    let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return String(decoding: bytes, as: UTF8.self).lowercased()
  }
}
