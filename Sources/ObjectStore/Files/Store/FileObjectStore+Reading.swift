import NIOCore

extension FileObjectStore {
  package func read<Result: Sendable>(
    _ key: ObjectKey, _ request: ReadRequest, _ use: (ReadAnswer) async throws -> Result
  ) async throws -> Result {
    if Task.isCancelled { throw ObjectStoreError.givenUp }
    let answer: FileAnswer
    if let here = try FileAnswer(key, request, from: files, waiting: !files.tellsWaiting) {
      answer = here
    } else {
      answer = try await FileThreads.single.run { [files] () throws(ObjectStoreError) in
        try FileAnswer(key, request, from: files, waiting: true) ?? .other(.missing)
      }
    }
    return try await use(answer.forReader(of: key))
  }

  package func head(
    _ key: ObjectKey, _ request: ReadRequest
  ) async throws(ObjectStoreError) -> HeadAnswer {
    if Task.isCancelled { throw .givenUp }
    let now = clock.now
    let file: ValueFile?
    switch try files.open(key, waiting: false) {
    case .missing: file = nil
    case .value(let open): file = open
    case .wouldWait:
      file = try await FileThreads.single.run { [files] () throws(ObjectStoreError) in
        if case .value(let open) = try files.open(key, waiting: true) { open } else { nil }
      }
    }
    let info = file?.header.info
    return request.answer(to: info.flatMap { $0.isExpired(at: now) ? nil : $0 })
  }
}

/// What a file gives to a reader; may cross threads, unlike the content.
private enum FileAnswer: Sendable {
  /// The bytes of a part that is read already.
  case small(ObjectInfo, ReadPart, ByteBuffer)
  case large(ObjectInfo, ReadPart, ValueFile)
  case other(HeadAnswer)

  /// Nil if the disk would have to be waited for.
  init?(
    _ key: ObjectKey, _ request: ReadRequest, from files: StoreFiles, waiting: Bool
  ) throws(ObjectStoreError) {
    let file: ValueFile?
    switch try files.open(key, waiting: waiting) {
    case .wouldWait: return nil
    case .missing: file = nil
    case .value(let open): file = open.header.isExpired(at: files.clock.now) ? nil : open
    }
    let answer = request.answer(to: file?.header.info)
    guard let file, case .content(let info, let part) = answer else {
      self = .other(answer)
      return
    }
    let range = part.range(of: info)
    guard range.count <= ValueFile.smallSize else {
      self = .large(info, part, file)
      return
    }
    guard let bytes = try file.read(range, waiting: waiting) else { return nil }
    self = .small(info, part, bytes)
  }

  func forReader(of key: ObjectKey) -> ReadAnswer {
    switch self {
    case .small(let info, let part, let bytes):
      .content(info, part, FileContent(key, first: bytes))
    case .large(let info, let part, let file):
      .content(info, part, file.content(part.range(of: info)))
    case .other(let answer): ReadAnswer(withoutContent: answer)
    }
  }
}
