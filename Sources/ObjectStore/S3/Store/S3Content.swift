import HTTPUpstream
import NIOCore

/// The bytes of an object, which are asked for again from where their connection broke.
final class S3Content: ObjectContent {
  private let key: ObjectKey
  private let etag: ETag
  private let store: S3ObjectStore
  private var response: HTTPUpstreamResponse
  /// What is still to come.
  private var rest: Range<Int>
  private var resumes = 0
  /// What came since the last resume.
  private var received = 0
  /// A resume that brings so much was worth it.
  private static let progressBytes = 16 << 10

  init(
    _ response: HTTPUpstreamResponse, of key: ObjectKey, etag: ETag, bytes: Range<Int>,
    from store: S3ObjectStore
  ) {
    self.response = response
    self.key = key
    self.etag = etag
    rest = bytes
    self.store = store
  }

  func next() async throws(ObjectStoreError) -> ByteBuffer? {
    while !rest.isEmpty {
      let part: ByteBuffer?
      do throws(HTTPUpstreamError) {
        part = try await response.next()
      } catch {
        if error.kind == .cancelled { throw .givenUp }
        try await resume(after: error)
        continue
      }
      guard let part else {
        // Whole by its own account, but not by the length of the value.
        try await resume(after: nil)
        continue
      }
      if part.readableBytes == 0 { continue }
      guard part.readableBytes <= rest.count else {
        throw corrupt("S3 sent more of a value than it has")
      }
      rest = (rest.lowerBound + part.readableBytes)..<rest.upperBound
      received += part.readableBytes
      return part
    }
    return nil
  }

  func close() { response.close() }

  private func resume(after error: HTTPUpstreamError?) async throws(ObjectStoreError) {
    response.close()
    // It was dropped from this side: the reader had stopped, and others waited for a connection.
    if error?.kind != .gaveWay {
      resumes = received >= Self.progressBytes ? 1 : resumes + 1
      received = 0
    }
    guard resumes <= store.configuration.maximumResumes else {
      throw ObjectStoreError(
        .unavailable,
        "the connection to S3 broke \(resumes) times in a row in the middle of a value",
        cause: error)
    }
    guard let next = try await store.resume(key, rest, of: etag).response else {
      throw corrupt("S3 sent no more of a value")
    }
    response = next
  }

  private func corrupt(_ message: String) -> ObjectStoreError {
    response.close()
    return ObjectStoreError(.corrupt, message)
  }
}
