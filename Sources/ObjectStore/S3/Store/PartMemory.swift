import NIOCore
import Synchronization

/// The memory that all values on their way up share.
///
/// A part takes it as its bytes arrive, so that clients that send slowly keep others from no more
/// than twice what they have sent. Parts that hold some and want more could wait for each other for
/// ever: therefore one of them, the first that asked, is always sure of the rest of its part, and
/// what that takes is kept free of the others. When it is done the next one is.
final class PartMemory: Sendable {
  fileprivate struct Waiter {
    let room: UInt64
    let bytes: Int
    let wait: TimedWait
  }

  fileprivate struct State {
    var free: Int
    /// In the order of coming.
    var waiting: [Waiter] = []
    /// What each part holds.
    var held: [UInt64: Int] = [:]
    /// The part that is sure of its rest.
    var first: UInt64?
    var lastID: UInt64 = 0
  }

  /// In bytes.
  let size: Int
  /// What a part may need at most, and still grow step by step. A larger one takes all at once.
  let partBytes: Int
  private let limit: Duration
  private let state: Mutex<State>

  /// - Parameters:
  ///   - size: in bytes, at least `partBytes`.
  ///   - limit: how long a part waits for memory.
  init(size: Int, partBytes: Int, limit: Duration) {
    self.size = max(size, partBytes)
    self.partBytes = partBytes
    self.limit = limit
    state = Mutex(State(free: max(size, partBytes)))
  }

  var free: Int { state.withLock { $0.free } }

  /// Room for one part, which holds no memory yet.
  ///
  /// - Parameter bytes: the part's beginning, for which none is needed.
  func room(_ bytes: ByteBuffer = ByteBuffer()) -> PartRoom {
    PartRoom(self, id: state.withLock { $0.nextID() }, bytes)
  }

  fileprivate func grow(_ room: UInt64, to bytes: Int) async throws(ObjectStoreError) {
    let bytes = min(bytes, size)
    let wait = TimedWait()
    let isGranted = state.withLock { state in
      let more = bytes - (state.held[room] ?? 0)
      if more <= 0 || state.grant(more, to: room, partBytes) { return true }
      state.waiting.append(Waiter(room: room, bytes: more, wait: wait))
      return false
    }
    if isGranted { return }
    switch await wait.value(within: limit) {
    case .granted: return
    case .cancelled:
      forget(wait)
      throw .givenUp
    case .late:
      forget(wait)
      throw ObjectStoreError(
        .busy, "too many values are on their way to S3: no memory for one more")
    }
  }

  private func forget(_ wait: TimedWait) {
    state.withLock { state in
      state.waiting.removeAll { $0.wait === wait }
      // Those behind it may need less.
      state.grantWaiters(partBytes)
    }
  }

  fileprivate func close(_ room: UInt64) {
    state.withLock { state in
      guard let bytes = state.held.removeValue(forKey: room) else { return }
      state.free += bytes
      if state.first == room { state.first = nil }
      state.grantWaiters(partBytes)
    }
  }
}

extension PartMemory.State {
  fileprivate mutating func nextID() -> UInt64 {
    lastID += 1
    return lastID
  }

  /// Keeps this: what is free, and what the first part holds, are a whole part together.
  private func mayGrant(_ bytes: Int, to room: UInt64, _ partBytes: Int) -> Bool {
    let isFirst = first == nil || first == room
    let kept = isFirst ? 0 : partBytes - (first.flatMap { held[$0] } ?? 0)
    return free - bytes >= max(0, kept)
  }

  private mutating func take(_ bytes: Int, for room: UInt64) {
    first = first ?? room
    free -= bytes
    held[room, default: 0] += bytes
  }

  fileprivate mutating func grant(_ bytes: Int, to room: UInt64, _ partBytes: Int) -> Bool {
    guard mayGrant(bytes, to: room, partBytes) else { return false }
    take(bytes, for: room)
    return true
  }

  fileprivate mutating func grantWaiters(_ partBytes: Int) {
    var index = 0
    while index < waiting.count {
      let waiter = waiting[index]
      guard mayGrant(waiter.bytes, to: waiter.room, partBytes) else {
        index += 1
        continue
      }
      waiting.remove(at: index)
      // One that was given up, or is late, just now takes nothing.
      if waiter.wait.end(.granted) { take(waiter.bytes, for: waiter.room) }
    }
  }
}

/// One part on its way up, and its memory. Belongs to one task at a time.
///
/// Bytes and memory go together: whoever is done with a part closes it, and nothing that is left of
/// the part, such as a finished task whose result nobody has taken yet, keeps the bytes.
final class PartRoom: Sendable {
  private let memory: PartMemory
  private let id: UInt64
  private let state: Mutex<ByteBuffer>

  fileprivate init(_ memory: PartMemory, id: UInt64, _ bytes: ByteBuffer) {
    self.memory = memory
    self.id = id
    state = Mutex(bytes)
  }

  deinit { close() }

  /// Empty once it is closed.
  var bytes: ByteBuffer { state.withLock { $0 } }

  /// Waits until it holds so much memory.
  ///
  /// - Throws: `busy` if that takes too long, `cancelled`.
  func grow(to bytes: Int) async throws(ObjectStoreError) { try await memory.grow(id, to: bytes) }

  /// Gives all back. Twice does no harm.
  func close() {
    state.withLock { $0 = ByteBuffer() }
    memory.close(id)
  }

  /// Appends bytes of a source until there are `size` of them, or the body is at its end, and takes
  /// memory for them as they come.
  ///
  /// - Returns: whether more may follow.
  func fill(upTo size: Int, from source: inout MeasuredSource) async throws(ObjectStoreError)
    -> Bool
  {
    var buffer = state.withLock { state in
      defer { state = ByteBuffer() }
      return state
    }
    // Memory that nothing was written to costs nothing.
    buffer.reserveCapacity(size)
    var hasMore = true
    while hasMore, buffer.readableBytes < size {
      // What is larger than usual could not be sure of its rest.
      let goal =
        size > memory.partBytes ? size : min(size, max(2 * buffer.readableBytes, 128 << 10))
      try await grow(to: goal)
      hasMore = try await source.fill(&buffer, upTo: goal)
    }
    state.withLock { $0 = buffer }
    return hasMore
  }
}
