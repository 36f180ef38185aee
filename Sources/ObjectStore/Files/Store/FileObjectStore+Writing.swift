import NIOCore

extension FileObjectStore {
  package func write(
    _ key: ObjectKey, _ request: WriteRequest, from source: any ObjectSource
  ) async throws(ObjectStoreError) -> ObjectInfo {
    if Task.isCancelled { throw .givenUp }
    if let type = request.contentType, type.utf8.count > ValueHeader.maximumContentTypeLength {
      throw ObjectStoreError(
        .tooLarge,
        "a content type has at most \(ValueHeader.maximumContentTypeLength) bytes")
    }
    // What holds not even now needs no upload. It counts again when the value takes its place.
    if request.condition != .none {
      try await FileThreads.single.run { [files] () throws(ObjectStoreError) in
        try files.check(request.condition, for: key)
      }
    }
    let write = FileWrite(in: files.directory.own)
    do throws(ObjectStoreError) {
      return try await self.write(key, request, from: source, by: write)
    } catch {
      await FileThreads.single.attempt { write.file?.discard() }
      throw error
    }
  }

  package func delete(
    _ key: ObjectKey, if condition: WriteCondition
  ) async throws(ObjectStoreError) {
    if Task.isCancelled { throw .givenUp }
    try await untilDone { [files] () throws(ObjectStoreError) in
      try files.remove(key, if: condition)
    }
  }

  private func write(
    _ key: ObjectKey, _ request: WriteRequest, from source: any ObjectSource, by write: FileWrite
  ) async throws(ObjectStoreError) -> ObjectInfo {
    var generator = SystemRandomNumberGenerator()
    var header = ValueHeader(
      key: key, etag: (generator.next(), generator.next()), expires: request.expires,
      contentType: request.contentType)
    header.size = try await fill(
      write, from: MeasuredSource(source, request), behind: header.length,
      expecting: request.length)
    header.modified = clock.now
    if Task.isCancelled { throw .givenUp }
    let (file, isPublished) = try await FileThreads.single.run {
      [files, header] () throws(ObjectStoreError) in
      let file = try write.finish(header)
      if header.expires != nil { try files.expectExpiry() }
      return (file, try files.publish(file, as: key, if: request.condition))
    }
    if !isPublished {
      try await untilDone { [files] () throws(ObjectStoreError) in
        try files.publish(file, as: key, if: request.condition)
      }
    }
    return header.info
  }

  /// Hands the body over to `write`, all but the last block written: one is on its way to the disk
  /// while the next one comes in.
  ///
  /// - Parameters:
  ///   - headerLength: the room in front of it.
  ///   - length: of the body, if it is known.
  /// - Returns: the number of its bytes.
  private func fill(
    _ write: FileWrite, from source: consuming MeasuredSource, behind headerLength: Int,
    expecting length: Int?
  ) async throws(ObjectStoreError) -> Int {
    var block = ByteBuffer()
    block.reserveCapacity(headerLength + min(length ?? 0, FileWrite.blockSize))
    block.writeRepeatingByte(0, count: headerLength)
    var size = -headerLength
    var hasMore = try await source.fill(&block, upTo: FileWrite.blockSize)
    while hasMore {
      size += block.readableBytes
      write.take(&block)
      async let written = FileThreads.single.attempt { () throws(ObjectStoreError) in
        try write.writeOut()
      }
      hasMore = try await source.fill(&block, upTo: FileWrite.blockSize)
      try await written.get()
    }
    size += block.readableBytes
    write.take(&block)
    return size
  }

  /// Tries again, off and on, as long as another process has the lock of the key.
  ///
  /// - Throws: `busy` after the configured time, or what `change` throws.
  private func untilDone(
    _ change: @escaping @Sendable () throws(ObjectStoreError) -> Bool
  ) async throws(ObjectStoreError) {
    let deadline = ContinuousClock.now + configuration.lockTimeout
    while try await !FileThreads.single.run(change) {
      if ContinuousClock.now >= deadline {
        throw ObjectStoreError(
          .busy, "another process kept the key locked for \(configuration.lockTimeout)")
      }
      do {
        try await Task.sleep(for: .milliseconds(Int.random(in: 1...8)))
      } catch {
        throw .givenUp
      }
    }
  }
}
