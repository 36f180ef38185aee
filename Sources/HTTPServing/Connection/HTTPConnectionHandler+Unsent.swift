import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// What the client has not taken yet.
extension HTTPConnectionHandler {
  /// Bytes that wait for the kernel.
  var userBytesUnsent: Int {
    (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
  }

  /// These, and the bytes in the kernel that the client has not acknowledged.
  var bytesUnsent: Int {
    var queued: Int32 = 0
    try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
      of: NIOBSDSocket.Handle.self
    ) { descriptor in
      // SIOCOUTQ of Linux.
      _ = ioctl(descriptor, UInt(TIOCOUTQ), &queued)
    }
    return userBytesUnsent + Int(queued)
  }

  /// Whether this connection may make room for another: nothing is asked of it, or its client has
  /// not moved for long.
  var mayBeEvicted: Bool {
    let longAgo = NIODeadline.now() - limits.evictionTime
    if let start = meter.start { return start <= longAgo }
    if entry.idleSince.load(ordering: .relaxed) != 0 { return true }
    let since = entry.waitSince.load(ordering: .relaxed)
    return since != 0 && NIODeadline.uptimeNanoseconds(since) <= longAgo
  }
}
