import Glibc
import PrometheusText

/// Reads sources that are files.
enum FileReading {
  static func read(
    _ path: String, _ request: SourceRequest
  ) throws(ScrapeFailure) -> SourceAnswer {
    // Without waiting: whoever puts a pipe there must not stop the merger.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw failure("cannot be opened", errno) }
    defer { close(descriptor) }
    let size = lseek(descriptor, 0, SEEK_END)
    guard size >= 0, lseek(descriptor, 0, SEEK_SET) == 0 else {
      throw ScrapeFailure(.file, "it is not a regular file")
    }
    let maximumBytes = request.maximumBytes
    var bytes: [UInt8] = []
    guard size <= maximumBytes else { throw tooLarge(maximumBytes) }
    bytes.reserveCapacity(Int(size) + 64)
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw failure("cannot be read", errno)
      }
      if count == 0 { break }
      guard bytes.count + count <= maximumBytes else {
        throw tooLarge(maximumBytes)
      }
      try request.share.take(count)
      bytes.append(contentsOf: chunk[..<count])
    }
    return SourceAnswer(bytes: bytes, format: ExpositionFormat(sniffing: bytes))
  }

  private static func tooLarge(_ limit: Int) -> ScrapeFailure {
    ScrapeFailure(.tooLarge, "it is larger than \(limit) bytes (--max-body-bytes)")
  }

  private static func failure(_ what: String, _ code: Int32) -> ScrapeFailure {
    ScrapeFailure(.file, "it \(what): \(String(cString: strerror(code)).lowercased())")
  }
}
