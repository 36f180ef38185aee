import NIOHTTP1

/// The fields of a request that mean something here, looked up in one pass.
struct RequestFields: Hashable {
  var accept: String?
  var authorization: String?
  var contentEncoding: String?
  var contentLength: String?
  var contentRange: String?
  var contentType: String?
  var ifMatch: String?
  var ifNoneMatch: String?
  var ifModifiedSince: String?
  var ifUnmodifiedSince: String?
  var ifRange: String?
  var range: String?
  var origin: String?
  var expect: String?
  var traceparent: String?
  var timeToLive: String?

  init() {}

  init(_ headers: HTTPHeaders) throws(Refusal) {
    for (name, value) in headers {
      guard let field = Self.field(named: name) else { continue }
      let path = field.path
      guard let known = self[keyPath: path] else {
        self[keyPath: path] = value
        continue
      }
      // Of others, a proxy may have read the first and this program the last.
      guard field.isList else { throw .badRequest("the field \(name) is there more than once") }
      self[keyPath: path] = "\(known), \(value)"
    }
  }

  private struct Field {
    let name: String
    let path: any WritableKeyPath<RequestFields, String?> & Sendable
    /// Whether several fields are one, with commas between.
    var isList = false
  }

  /// By length: most fields of a request are told from these without reading them.
  private static let fields: [[Field]] = {
    let all = [
      Field(name: "accept", path: \.accept, isList: true),
      Field(name: "authorization", path: \.authorization),
      Field(name: "content-encoding", path: \.contentEncoding, isList: true),
      Field(name: "content-length", path: \.contentLength),
      Field(name: "content-range", path: \.contentRange, isList: true),
      Field(name: "content-type", path: \.contentType),
      Field(name: "if-match", path: \.ifMatch, isList: true),
      Field(name: "if-none-match", path: \.ifNoneMatch, isList: true),
      Field(name: "if-modified-since", path: \.ifModifiedSince),
      Field(name: "if-unmodified-since", path: \.ifUnmodifiedSince),
      Field(name: "if-range", path: \.ifRange),
      Field(name: "range", path: \.range, isList: true),
      Field(name: "origin", path: \.origin),
      Field(name: "expect", path: \.expect),
      Field(name: "traceparent", path: \.traceparent, isList: true),
      Field(name: "x-kvs-ttl", path: \.timeToLive),
    ]
    let longest = all.map(\.name.utf8.count).max() ?? 0
    return (0...longest).map { length in all.filter { $0.name.utf8.count == length } }
  }()

  private static func field(named name: String) -> Field? {
    let length = name.utf8.count
    guard length < fields.count else { return nil }
    return fields[length].first { $0.name.isSameIgnoringCase(name) }
  }
}

extension String {
  /// Whether two texts of ASCII are the same but for capital letters; this one has none.
  func isSameIgnoringCase(_ other: some StringProtocol) -> Bool {
    utf8.elementsEqual(other.utf8) { own, byte in
      own == byte || (own == byte | 0x20 && byte >= 0x41 && byte <= 0x5a)
    }
  }
}
