import NIOCore
import ServiceLifecycle
import Synchronization

/// Values in this process's memory, by the same rules as the lasting stores: for tests, and for
/// trying the server without leaving anything behind.
package final class MemoryObjectStore: ObjectStore {
  /// The most bytes that a content gives at a time.
  private static let chunkSize = 64 << 10

  private struct Value {
    var info: ObjectInfo
    var bytes: ByteBuffer
  }

  private struct State {
    var values: [ObjectKey: Value] = [:]
    /// Of all values, and of what is being written.
    var bytes = 0

    func info(_ key: ObjectKey, at now: Int64) -> ObjectInfo? {
      values[key].flatMap { $0.info.isExpired(at: now) ? nil : $0.info }
    }

    mutating func remove(_ key: ObjectKey) {
      if let value = values.removeValue(forKey: key) { bytes -= value.info.size }
    }
  }

  private let maximumBytes: Int
  private let sweepInterval: Duration
  private let clock: WallClock
  private let state = Mutex(State())

  /// - Parameters:
  ///   - maximumBytes: of all values together; more is `full`. 2 GiB at most.
  ///   - sweepInterval: how often expired values are removed.
  package init(
    maximumBytes: Int = 1 << 30, sweepInterval: Duration = .seconds(30), clock: WallClock = .system
  ) {
    // A buffer holds less than 4 GiB.
    self.maximumBytes = min(maximumBytes, 2 << 30)
    self.sweepInterval = sweepInterval
    self.clock = clock
  }

  package func read<Result: Sendable>(
    _ key: ObjectKey, _ request: ReadRequest, _ use: (ReadAnswer) async throws -> Result
  ) async throws -> Result {
    if Task.isCancelled { throw ObjectStoreError.givenUp }
    let now = clock.now
    let value = state.withLock { state in
      state.info(key, at: now) == nil ? nil : state.values[key]
    }
    let answer = request.answer(to: value?.info)
    guard case .content(let info, let part) = answer, let bytes = value?.bytes else {
      return try await use(ReadAnswer(withoutContent: answer))
    }
    let range = part.range(of: info)
    let content = bytes.getSlice(at: bytes.readerIndex + range.lowerBound, length: range.count)
    return try await use(
      .content(info, part, Content(content ?? ByteBuffer(), chunkSize: Self.chunkSize)))
  }

  package func head(
    _ key: ObjectKey, _ request: ReadRequest
  ) async throws(ObjectStoreError) -> HeadAnswer {
    if Task.isCancelled { throw .givenUp }
    let now = clock.now
    return request.answer(to: state.withLock { $0.info(key, at: now) })
  }

  package func write(
    _ key: ObjectKey, _ request: WriteRequest, from source: any ObjectSource
  ) async throws(ObjectStoreError) -> ObjectInfo {
    try check(request.condition, for: key)
    var bytes = ByteBuffer()
    var isStored = false
    defer { if !isStored { giveBack(bytes.readableBytes) } }
    var body = MeasuredSource(source, request)
    while var next = try await body.next() {
      try take(next.readableBytes)
      bytes.writeBuffer(&next)
    }
    if Task.isCancelled { throw .givenUp }
    let now = clock.now
    let info = ObjectInfo(
      size: bytes.readableBytes, etag: .random(), modified: now, contentType: request.contentType,
      expires: request.expires)
    let value = Value(info: info, bytes: bytes)
    isStored = state.withLock { state in
      guard request.condition.holds(for: state.info(key, at: now)) else { return false }
      state.remove(key)
      state.values[key] = value
      return true
    }
    if !isStored { throw .conditionFailed(request.condition) }
    return info
  }

  package func delete(
    _ key: ObjectKey, if condition: WriteCondition
  ) async throws(ObjectStoreError) {
    if Task.isCancelled { throw .givenUp }
    let now = clock.now
    let holds = state.withLock { state in
      guard condition.holds(for: state.info(key, at: now)) else { return false }
      state.remove(key)
      return true
    }
    if !holds { throw .conditionFailed(condition) }
  }

  package func list(_ request: ListRequest) async throws(ObjectStoreError) -> ListPage {
    if Task.isCancelled { throw .givenUp }
    let now = clock.now
    let prefix = Array(request.prefix.utf8)
    let infos = state.withLock { state in
      state.values.compactMap { key, value in
        value.info.isExpired(at: now) || !key.text.utf8.starts(with: prefix)
          ? nil : (key: key, info: value.info)
      }
    }
    var page = PageBuilder(request)
    for (key, info) in infos.sorted(by: { $0.key < $1.key })
    where page.position.isBefore(Array(key.text.utf8)) {
      guard page.add(ListedObject(key, info)) else { break }
    }
    return page.page
  }

  package func check() async throws(ObjectStoreError) {}

  package func run() async throws {
    await cancelWhenGracefulShutdown {
      while (try? await Task.sleep(for: self.sweepInterval)) != nil { self.sweep() }
    }
  }

  /// Removes what has expired.
  func sweep() {
    let now = clock.now
    state.withLock { state in
      for (key, value) in state.values where value.info.isExpired(at: now) { state.remove(key) }
    }
  }

  private func check(_ condition: WriteCondition, for key: ObjectKey) throws(ObjectStoreError) {
    let now = clock.now
    let holds = state.withLock { condition.holds(for: $0.info(key, at: now)) }
    if !holds { throw .conditionFailed(condition) }
  }

  private func take(_ count: Int) throws(ObjectStoreError) {
    let isTaken = state.withLock { state in
      guard count <= maximumBytes - state.bytes else { return false }
      state.bytes += count
      return true
    }
    if !isTaken {
      throw ObjectStoreError(.full, "the store in memory holds \(maximumBytes) bytes at most")
    }
  }

  private func giveBack(_ count: Int) { state.withLock { $0.bytes -= count } }
}

/// A value in memory, some bytes at a time as from a disk.
private final class Content: ObjectContent {
  private var rest: ByteBuffer
  private let chunkSize: Int

  init(_ bytes: ByteBuffer, chunkSize: Int) {
    rest = bytes
    self.chunkSize = chunkSize
  }

  func next() async throws(ObjectStoreError) -> ByteBuffer? {
    if Task.isCancelled { throw .givenUp }
    guard rest.readableBytes > 0 else { return nil }
    return rest.readSlice(length: min(chunkSize, rest.readableBytes))
  }
}
