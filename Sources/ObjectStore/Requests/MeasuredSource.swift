package import NIOCore

/// The body of a write, held to what the request says of its length.
///
/// Belongs to the task that writes.
package struct MeasuredSource {
  private let source: any ObjectSource
  private let request: WriteRequest
  private var rest = ByteBuffer()
  private var received = 0
  private var hasEnded = false

  package init(_ source: any ObjectSource, _ request: WriteRequest) {
    self.source = source
    self.request = request
  }

  /// Appends bytes until `buffer` has `size` of them, or the body is at its end.
  ///
  /// - Returns: whether more may follow.
  /// - Throws: `sourceFailed`, `tooLarge`, `cancelled`.
  package mutating func fill(
    _ buffer: inout ByteBuffer, upTo size: Int
  ) async throws(ObjectStoreError) -> Bool {
    while buffer.readableBytes < size {
      if rest.readableBytes == 0 {
        // The source may use its memory again.
        rest = ByteBuffer()
        guard let next = try await next() else { return false }
        rest = next
      }
      let count = min(rest.readableBytes, size - buffer.readableBytes)
      if var part = rest.readSlice(length: count) { buffer.writeBuffer(&part) }
    }
    if rest.readableBytes == 0 { rest = ByteBuffer() }
    return true
  }

  /// The next bytes as the source has them, one at least; nil at the end of a body that is whole.
  ///
  /// - Throws: as ``fill(_:upTo:)`` does.
  package mutating func next() async throws(ObjectStoreError) -> ByteBuffer? {
    while let bytes = try await nextPiece() {
      if bytes.readableBytes > 0 { return bytes }
    }
    return nil
  }

  private mutating func nextPiece() async throws(ObjectStoreError) -> ByteBuffer? {
    if hasEnded { return nil }
    if Task.isCancelled { throw .givenUp }
    let buffer: ByteBuffer?
    do {
      buffer = try await source.next()
    } catch {
      if Task.isCancelled { throw .givenUp }
      throw ObjectStoreError(
        .sourceFailed, "the body broke off after \(received) bytes", cause: error)
    }
    guard let buffer else {
      hasEnded = true
      if let length = request.length, length != received {
        throw ObjectStoreError(
          .sourceFailed, "the body ended after \(received) of \(length) bytes")
      }
      return nil
    }
    received += buffer.readableBytes
    if let length = request.length {
      if received > length {
        throw ObjectStoreError(
          .sourceFailed, "the body has more than the \(length) bytes announced")
      }
    } else if received > request.maximumLength {
      throw ObjectStoreError(
        .tooLarge, "the body has more than the \(request.maximumLength) bytes allowed")
    }
    return buffer
  }
}

extension ObjectStoreError {
  /// The task was cancelled before anything was changed.
  package static var givenUp: ObjectStoreError {
    ObjectStoreError(.cancelled, "given up by the caller")
  }

  static func conditionFailed(_ condition: WriteCondition) -> ObjectStoreError {
    let message =
      switch condition {
      case .isMissing: "the key has a value already"
      case .matches: "the key has no value of that version"
      case .none: "the condition does not hold"
      }
    return ObjectStoreError(.conditionFailed, message)
  }
}
