import NIOCore
import RESP

/// A connection that has been greeted and is in use.
struct RedisSession: Sendable {
  /// How a connection ended.
  struct End: Sendable {
    let reason: RedisError
    /// Commands that had a reply.
    let answered: Int
  }

  let channel: any Channel
  let version: RESPVersion
  /// Never fails.
  let closed: EventLoopFuture<End>
}
