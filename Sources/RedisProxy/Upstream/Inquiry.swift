import NIOCore
import RESP

/// A question of the proxy to a server, on a connection that clients share, and its reply as far as
/// it has come.
struct Inquiry {
  let then: (RESPValue) -> Void
  private var parser = RESPParser()

  init(then: @escaping (RESPValue) -> Void) { self.then = then }

  mutating func append(_ piece: ByteBuffer) { parser.append(piece) }

  /// The reply once it is complete; nil also if it cannot be understood.
  mutating func reply() -> RESPValue? {
    do throws(RESPError) { return try parser.next() } catch { return nil }
  }
}
