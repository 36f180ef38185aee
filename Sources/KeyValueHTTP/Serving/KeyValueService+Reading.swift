import HTTPServing
import NIOCore
import NIOHTTP1
import ObjectStore

extension KeyValueService {
  func get(_ key: ObjectKey, _ visit: inout Visit) async throws {
    try access.check(.read, key.text, visit.fields, visit.exchange.request.headers)
    let request = try visit.fields.readRequest(hasRange: true, now: clock.now)
    try await store.read(key, request) { answer in
      guard case .content(let info, let part, let content) = answer else {
        return try await answerWithoutContent(HeadAnswer(withoutContent: answer), &visit)
      }
      try await send(info, part, content, &visit)
    }
  }

  func head(_ key: ObjectKey, _ visit: inout Visit) async throws {
    try access.check(.read, key.text, visit.fields, visit.exchange.request.headers)
    let request = try visit.fields.readRequest(hasRange: false, now: clock.now)
    let answer = try await store.head(key, request)
    guard case .content(let info, let part) = answer else {
      return try await answerWithoutContent(answer, &visit)
    }
    let (head, range) = describe(info, part, &visit)
    try visit.exchange.begin(head, length: range.count)
    try await visit.exchange.finish()
  }

  private func send(
    _ info: ObjectInfo, _ part: ReadPart, _ content: any ObjectContent, _ visit: inout Visit
  ) async throws {
    let (head, range) = describe(info, part, &visit)
    try visit.exchange.begin(head, length: range.count)
    while let bytes = try await content.next() {
      visit.bytesSent += bytes.readableBytes
      try await visit.exchange.write(bytes)
    }
    try await visit.exchange.finish()
  }

  /// The head of an answer about a value, and the bytes of it that are meant.
  private func describe(
    _ info: ObjectInfo, _ part: ReadPart, _ visit: inout Visit
  ) -> (HTTPAnswerHead, Range<Int>) {
    var head: HTTPAnswerHead
    let range = part.range(of: info)
    switch part {
    case .whole: head = newHead(.ok, &visit)
    case .range:
      head = newHead(.partialContent, &visit)
      head.add("content-range", "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(info.size)")
    }
    head.add("content-type", info.contentType ?? "application/octet-stream")
    // The type is known: nothing is left to guess.
    head.add("x-content-type-options", "nosniff")
    head.add("accept-ranges", "bytes")
    addVersion(of: info, to: &head)
    return (head, range)
  }

  private func addVersion(of info: ObjectInfo, to head: inout HTTPAnswerHead) {
    head.add("etag", info.etag.description)
    head.add("last-modified", HTTPDate.text(info.modified))
    if let expires = info.expires { head.add("x-kvs-ttl", Int(max(0, expires - clock.now))) }
  }

  private func answerWithoutContent(_ answer: HeadAnswer, _ visit: inout Visit) async throws {
    switch answer {
    case .notModified(let info):
      var head = newHead(.notModified, &visit)
      addVersion(of: info, to: &head)
      try await visit.exchange.answer(head)
    case .conditionFailed: try await refuse(.preconditionFailed, &visit)
    case .unsatisfiable(let info):
      try await refuse(
        Refusal(.rangeNotSatisfiable, "the value has \(info.size) bytes"), &visit
      ) { $0.add("content-range", "bytes */\(info.size)") }
    case .missing, .content: try await refuse(.missing, &visit)
    }
  }
}

extension HeadAnswer {
  /// - Parameter answer: any but `content`.
  fileprivate init(withoutContent answer: ReadAnswer) {
    self =
      switch answer {
      case .notModified(let info): .notModified(info)
      case .conditionFailed: .conditionFailed
      case .unsatisfiable(let info): .unsatisfiable(info)
      case .missing, .content: .missing
      }
  }
}
