import Glibc

extension LocalProcess {
  /// Freezes the process (SIGSTOP): its sockets stay open, nothing is answered.
  ///
  /// - Returns: once it stands still.
  package func standStill() async throws {
    signal(.stop)
    try await withDeadline(.seconds(10), "\(command.name) stands still") { [self] in
      while let identifier = processIdentifier, !Self.isStopped(identifier) {
        try await Task.sleep(for: .milliseconds(1))
      }
    }
  }

  /// Whether all threads of a process stand still (`T` in `/proc/<pid>/stat`).
  private static func isStopped(_ identifier: Int32) -> Bool {
    guard let file = fopen("/proc/\(identifier)/stat", "r") else { return true }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 512)
    let count = fread(&bytes, 1, bytes.count, file)
    // The state follows the command, which is in parentheses.
    guard let end = bytes[..<count].lastIndex(of: UInt8(ascii: ")")), end + 2 < count else {
      return true
    }
    return bytes[end + 2] == UInt8(ascii: "T")
  }
}
