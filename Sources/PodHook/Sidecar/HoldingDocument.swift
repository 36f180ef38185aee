import Coordination
import JSON
import ServiceKit

/// What `GET /lock` says of a lock or permit.
struct HoldingDocument: Sendable {
  let key: NamespacedKey
  let isHeld: Bool
  /// Nil where there is none.
  let fencingToken: UInt64?
  /// Until when it is held without another word with the store; on the store's clock.
  let validUntil: Duration?

  /// - Parameters:
  ///   - now: by the store's clock.
  ///   - wallClock: the same moment for people.
  func encoded(now: Duration, wallClock: (seconds: Int, ms: Int)) -> [UInt8] {
    var writer = JSONWriter(reserving: 128)
    writer.object { lock in
      lock.field("key", key.description)
      lock.field("held", isHeld)
      lock.key("fencingToken")
      if let fencingToken { lock.integer(fencingToken) } else { lock.null() }
      lock.key("expiresAt")
      if let validUntil {
        let left = (validUntil - now).components
        let milliseconds =
          wallClock.ms + Int(left.attoseconds / 1_000_000_000_000_000)
          + (wallClock.seconds + Int(left.seconds)) * 1000
        lock.string(
          LogTimestamp.text(seconds: milliseconds / 1000, milliseconds: milliseconds % 1000))
      } else {
        lock.null()
      }
    }
    return writer.bytes
  }
}
