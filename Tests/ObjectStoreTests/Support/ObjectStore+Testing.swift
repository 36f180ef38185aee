import NIOCore
import ObjectStore
import Testing

/// A value as a test reads it.
struct StoredValue: Sendable, Hashable {
  var info: ObjectInfo
  var part: ReadPart
  var text: String
}

/// What a test read.
enum ReadOutcome: Sendable, Hashable {
  case value(StoredValue)
  case notModified(ObjectInfo)
  case conditionFailed
  case unsatisfiable(ObjectInfo)
  case missing

  var value: StoredValue? { if case .value(let value) = self { value } else { nil } }
}

extension ObjectStore {
  @discardableResult
  func put(
    _ key: String, _ text: String, type: String? = nil, expires: Int64? = nil,
    if condition: WriteCondition = .none
  ) async throws -> ObjectInfo {
    try await write(
      try ObjectKey(key),
      WriteRequest(
        length: text.utf8.count, contentType: type, expires: expires, condition: condition),
      from: PiecesSource(text))
  }

  func get(_ key: String, _ request: ReadRequest = ReadRequest()) async throws -> ReadOutcome {
    try await read(try ObjectKey(key), request) { answer in
      switch answer {
      case .content(let info, let part, let content):
        var bytes = ByteBuffer()
        while var next = try await content.next() { bytes.writeBuffer(&next) }
        return .value(StoredValue(info: info, part: part, text: String(buffer: bytes)))
      case .notModified(let info): return .notModified(info)
      case .conditionFailed: return .conditionFailed
      case .unsatisfiable(let info): return .unsatisfiable(info)
      case .missing: return .missing
      }
    }
  }

  /// Writes a value, and looks at it: what the answer to a write says of the time may be of the next
  /// second.
  func putAndLook(_ key: String, _ text: String, type: String? = nil) async throws -> ObjectInfo {
    try await put(key, text, type: type)
    return try #require(try await get(key).value).info
  }

  /// The text of a key; nil if it has none.
  func text(_ key: String) async throws -> String? { try await get(key).value?.text }

  func remove(_ key: String, if condition: WriteCondition = .none) async throws {
    try await delete(try ObjectKey(key), if: condition)
  }

  /// All entries, page by page; of folds what they begin with.
  func names(_ request: ListRequest = ListRequest()) async throws -> [String] {
    var request = request
    var names: [String] = []
    while true {
      let page = try await list(request)
      names += page.entries.map(\.name)
      guard let next = page.next else { return names }
      if let after = request.after, Bytes(next) <= Bytes(after) {
        throw TestFault("after \(after) comes \(next)")
      }
      request.after = next
    }
  }

  /// The kind of error of a write, or nil.
  func failure(
    writing key: String, _ request: WriteRequest, from source: any ObjectSource
  ) async throws -> ObjectStoreError.Kind? {
    let key = try ObjectKey(key)
    do throws(ObjectStoreError) {
      _ = try await write(key, request, from: source)
      return nil
    } catch {
      return error.kind
    }
  }
}

extension ListPage.Entry {
  var name: String {
    switch self {
    case .object(let object): object.key
    case .prefix(let prefix): prefix
    }
  }
}

/// The kind of error that `body` throws, or nil.
func failure(_ body: () async throws -> Void) async throws -> ObjectStoreError.Kind? {
  do {
    try await body()
    return nil
  } catch let error as ObjectStoreError {
    return error.kind
  }
}
