import Glibc

/// Where log lines go.
package struct LogSink: Sendable {
  private let take: @Sendable ([UInt8]) -> Void

  /// - Parameter take: receives one whole line with its newline, from any thread.
  package init(_ take: @escaping @Sendable ([UInt8]) -> Void) { self.take = take }

  /// Standard error: unbuffered, one `write(2)` for each line of up to 4096 bytes.
  ///
  /// It never waits for a reader: what finds the pipe full is dropped, and the next line that gets
  /// through counts it as `lines_dropped`.
  ///
  /// Kubernetes' own components log there too, and `kubectl logs` shows both streams; standard
  /// output stays free for the results of commands such as `status`.
  package static let standardError = LogSink(LineDescriptor(STDERR_FILENO))

  init(_ descriptor: LineDescriptor) { take = { descriptor.write($0) } }

  func write(_ line: [UInt8]) { take(line) }
}
