import Coordination
import Glibc

/// The mark as a file, usually in `/dev/shm`, which all containers of a Pod share, which survives their
/// restarts, and which ends with the Pod.
///
/// It holds a moment of the machine's clock since boot (`CLOCK_BOOTTIME`), in nanoseconds: a Pod never
/// outlives the boot of its node.
struct SharedMemoryMark: OpenedMark {
  private static let digits = 20

  private let path: String
  private let time: any MonotonicTime

  /// - Parameter name: unique to the Pod and the lock, without slashes.
  init(directory: String, name: String, time: any MonotonicTime) {
    path = "\(directory)/\(name)"
    self.time = time
  }

  func read() -> Duration? {
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: Self.digits)
    guard Glibc.read(file, &bytes, Self.digits) == Self.digits,
      let moment = Int64(String(decoding: bytes, as: UTF8.self))
    else {
      // Somebody wrote it, so an application may run: it counts as over.
      return time.now
    }
    return time.now + .nanoseconds(moment) - Self.sinceBoot
  }

  func write(giveUpAt: Duration) {
    let (seconds, attoseconds) = (Self.sinceBoot + giveUpAt - time.now).components
    let text = String(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    let padded = String(repeating: "0", count: max(Self.digits - text.utf8.count, 0)) + text
    let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else { return }
    defer { close(file) }
    // One write of a fixed length: a reader sees the old moment or the new one.
    _ = pwrite(file, padded, Self.digits, 0)
  }

  func erase() { unlink(path) }

  private static var sinceBoot: Duration {
    var now = timespec()
    clock_gettime(CLOCK_BOOTTIME, &now)
    return .seconds(now.tv_sec) + .nanoseconds(now.tv_nsec)
  }
}
