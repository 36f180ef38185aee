import EtcdClient

/// The names under which one semaphore lives in etcd:
///
/// - `_queue/<namespace>/<key>/<UUID>`: a placeholder for each free permit;
/// - `_heartbeat/<namespace>/<key>/<token>`: a permit in flight, its value ``Holder/text``, with the
///   lease that its holder keeps alive;
/// - `_semaphore/<namespace>/<key>`: an ``EtcdSemaphoreRecord``.
///
/// Locks in the same etcd are called `<namespace>/<key>/…`, and no namespace begins with `_`: without
/// that sign, the queue of a namespace `team` would consist of contenders for a lock `team` in a
/// namespace `queue`.
struct EtcdSemaphoreKeys: Sendable {
  /// The kinds of names of which there are several for a key.
  enum Part: String, Sendable, CaseIterable {
    case queue = "_queue/"
    case inFlight = "_heartbeat/"
  }

  /// Goes in front of everything.
  let prefix: String
  let key: NamespacedKey

  private var path: String { "\(key.namespace)/\(EtcdLockKeys.encoded(key.key))" }

  var record: String { "\(prefix)_semaphore/\(path)" }
  var queue: String { all(.queue) }
  var inFlight: String { all(.inFlight) }

  /// What all names of this kind begin with.
  func all(_ part: Part) -> String { "\(prefix)\(part.rawValue)\(path)/" }

  func permit(_ token: Token) -> String { inFlight + EtcdLockKeys.encoded(token.text) }

  func newPlaceholder() -> [UInt8] { Array((queue + Token.uuid().text).utf8) }

  /// The token in the name of a permit in flight.
  func token(of name: [UInt8]) -> Token {
    Token(String(decoding: name.dropFirst(inFlight.utf8.count), as: UTF8.self))
  }

  /// The semaphore that a placeholder or a permit belongs to; nil if the name is not of this layout.
  static func key(of name: [UInt8], _ part: Part, prefix: String) -> NamespacedKey? {
    let start = (prefix + part.rawValue).utf8
    guard name.starts(with: start), let slash = name.lastIndex(of: UInt8(ascii: "/")),
      slash >= start.count
    else { return nil }
    return EtcdLockKeys.namespacedKey(name[start.count..<slash])
  }

  // MARK: Places in the queue

  /// A part of the queue, and in it a place to begin at: whoever takes the first placeholder from
  /// there on seldom meets another who does the same. Names are random, so that a part with fewer of
  /// them is as good as the whole, and is found without going over ten thousands.
  struct Place: Sendable {
    let part: String
    let start: [UInt8]
  }

  /// - Parameter expected: how many placeholders there may be; 0: look in the whole queue.
  func place(expecting expected: Int) -> Place {
    let name = Token.uuid().text
    var digits = 0
    // At least 16 of them in a part, were the queue full.
    while digits < 4, expected >> (4 * digits) >= 256 { digits += 1 }
    let part = queue + name.prefix(digits)
    return Place(part: part, start: Array((queue + name).utf8))
  }
}

extension EtcdSemaphoreKeys.Place {
  /// The first placeholder from the start on, and the first of all if there is none.
  var operations: [EtcdTransaction.Operation] {
    [
      .range(EtcdRange(.prefix(part, after: start), limit: 1)),
      .range(EtcdRange(.prefix(part), limit: 1)),
    ]
  }
}

extension Token {
  /// A new token, by which permits are in the order in which they were taken: a version 8 UUID
  /// (RFC 9562, section 5.8) that begins with 48 bits of etcd's revision; the other 74 are random.
  static func permit(revision: Int64) -> Token {
    let random = uuid().text
    let digits = String(UInt64(truncatingIfNeeded: revision) & 0xFFFF_FFFF_FFFF, radix: 16)
    let padded = String(repeating: "0", count: 12 - digits.utf8.count) + digits
    return Token("\(padded.prefix(8))-\(padded.suffix(4))-8\(random.dropFirst(15))")
  }
}
