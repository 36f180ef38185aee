import CLinux
import Glibc

/// All processes that descend from those that were started with a mark in their environment.
///
/// Whatever they do to get away: a process whose parent has ended, or that has begun a session of
/// its own, still has the environment that it was born with. What can hide is a process that was
/// started with another environment on purpose.
package struct ProcessTree: Sendable, Hashable {
  /// The variable that bears the mark.
  package static let variable = "HIPPOCAMPUS_PROCESS_TREE"

  package let mark: String

  /// - Parameter mark: not empty, and of no other tree at the same time; a tree whose mark begins
  ///   with another's and a slash belongs to that one too.
  package init(mark: String) { self.mark = mark }

  /// A part of this tree.
  package func branch(_ name: String) -> ProcessTree { ProcessTree(mark: "\(mark)/\(name)") }

  /// The members that live now, this process never among them. Zombies do not count: they have ended.
  package func members() -> [Int32] {
    Self.processes().filter { $0 != getpid() && isMember($0) }
  }

  /// Kills all members, also those that are born meanwhile; returns when there is none left.
  ///
  /// - Returns: those that were still there when `limit` was over: in a system call that does not
  ///   end, or another user's.
  package func kill(within limit: Duration) async -> [Int32] {
    let deadline = ContinuousClock.now + limit
    var pause = Duration.milliseconds(1)
    while true {
      let left = members()
      for member in left { kill(member) }
      // Cancelled, it does what it can without waiting.
      guard !left.isEmpty, .now < deadline, (try? await Task.sleep(for: pause)) != nil else {
        return left
      }
      pause = min(pause * 2, .milliseconds(50))
    }
  }

  /// By a descriptor, which stands for this process even if its number is given to another one.
  private func kill(_ process: Int32) {
    let descriptor = pidfd_open(process, 0)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    // It may have been another process's number since it was looked at.
    if isMember(process) { pidfd_send_signal(descriptor, SIGKILL, nil, 0) }
  }

  // MARK: /proc

  private func isMember(_ process: Int32) -> Bool {
    guard let environment = Self.read("/proc/\(process)/environ") else { return false }
    let start = Array("\(Self.variable)=\(mark)".utf8)
    return environment.split(separator: 0).contains { entry in
      guard entry.starts(with: start) else { return false }
      return entry.count == start.count || entry.dropFirst(start.count).first == UInt8(ascii: "/")
    }
  }

  private static func processes() -> [Int32] {
    guard let directory = opendir("/proc") else { return [] }
    defer { closedir(directory) }
    var processes: [Int32] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if let process = Int32(name) { processes.append(process) }
    }
    return processes
  }

  /// Nil if there is none, or it may not be read. Environments have no size that could be asked for.
  private static func read(_ path: String) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    // As much as the kernel gives to a program: a quarter of the stack.
    while bytes.count < 8 << 20 {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      guard count > 0 else { return count == 0 ? bytes : nil }
      bytes += buffer[..<count]
    }
    return bytes
  }
}
