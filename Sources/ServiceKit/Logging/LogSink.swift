import Glibc
import Synchronization

/// Where log lines go.
package struct LogSink: Sendable {
  private let take: @Sendable ([UInt8]) -> Void

  /// - Parameter take: receives one whole line with its newline, from any thread.
  package init(_ take: @escaping @Sendable ([UInt8]) -> Void) { self.take = take }

  /// Standard error: unbuffered, one `write(2)` for each line.
  ///
  /// Kubernetes' own components log there too, and `kubectl logs` shows both streams; standard
  /// output stays free for the results of commands such as `status`.
  package static let standardError = LogSink { line in
    // Lines longer than a pipe's atomic write (4096 bytes) must not mix with others.
    writing.withLock { _ in
      line.withUnsafeBytes { Descriptor.writeAll($0, to: STDERR_FILENO) }
    }
  }

  func write(_ line: [UInt8]) { take(line) }

  private static let writing = Mutex(())
}
