import NIOCore
import ObjectStore
import ServiceLifecycle

/// A store that fails as it is told: before an answer, or after some of its content.
struct ScriptedStore: ObjectStore {
  /// The size of the only value that there is, under every key.
  var size = 1 << 20
  /// After how many bytes of content a read fails; nil: not at all.
  var contentEnds: Int?
  /// What every operation throws.
  var failure: ObjectStoreError?

  func run() async throws { try? await gracefulShutdown() }

  private var info: ObjectInfo {
    get throws(ObjectStoreError) {
      if let failure { throw failure }
      guard let etag = ETag("scripted") else { throw ObjectStoreError(.corrupt, "no tag") }
      return ObjectInfo(size: size, etag: etag, modified: 0)
    }
  }

  func read<Result: Sendable>(
    _ key: ObjectKey, _ request: ReadRequest, _ use: (ReadAnswer) async throws -> Result
  ) async throws -> Result {
    let info = try info
    return try await use(.content(info, .whole, Content(left: size, ends: contentEnds ?? .max)))
  }

  func head(_ key: ObjectKey, _ request: ReadRequest) async throws(ObjectStoreError) -> HeadAnswer {
    .content(try info, .whole)
  }

  func write(
    _ key: ObjectKey, _ request: WriteRequest, from source: any ObjectSource
  ) async throws(ObjectStoreError) -> ObjectInfo { try info }

  func delete(_ key: ObjectKey, if condition: WriteCondition) async throws(ObjectStoreError) {
    _ = try info
  }

  func list(_ request: ListRequest) async throws(ObjectStoreError) -> ListPage {
    _ = try info
    return ListPage(entries: [])
  }

  func check() async throws(ObjectStoreError) { _ = try info }

  private final class Content: ObjectContent {
    private var left: Int
    private var untilEnd: Int

    init(left: Int, ends: Int) {
      self.left = left
      untilEnd = ends
    }

    func next() async throws(ObjectStoreError) -> ByteBuffer? {
      if left == 0 { return nil }
      guard untilEnd > 0 else { throw ObjectStoreError(.unavailable, "the server is gone") }
      let count = min(left, untilEnd, 64 * 1024)
      left -= count
      untilEnd -= count
      return ByteBuffer(repeating: 0x61, count: count)
    }
  }
}
