import Glibc

/// A file of settings or with a token, read whole.
enum SmallTextFile {
  private static let limit = 1 << 20

  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// - Returns: nil if there is no such file.
  static func read(_ path: String) throws(Failure) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw failure(path)
    }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    while true {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      if count < 0 { throw failure(path) }
      if count == 0 { break }
      bytes.append(contentsOf: buffer[..<count])
      if bytes.count > limit { throw Failure(description: "\(path) is larger than \(limit) bytes") }
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Failure(description: "\(path) is not UTF-8")
    }
    return text
  }

  private static func failure(_ path: String) -> Failure {
    Failure(description: "cannot read \(path): \(String(cString: strerror(errno)))")
  }
}

extension String {
  func trimmingSpace() -> String {
    var rest = self[...]
    while rest.first?.isWhitespace == true { rest.removeFirst() }
    while rest.last?.isWhitespace == true { rest.removeLast() }
    return String(rest)
  }
}
