import URIEncoding

/// A page of `ListObjectsV2`, read as it comes in.
///
/// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
struct S3ListDocument {
  /// Once ``finish()`` was called.
  private(set) var objects: [ListedObject] = []
  /// Once ``finish()`` was called.
  private(set) var prefixes: [String] = []
  private(set) var isTruncated = false
  private(set) var continuation: String?

  private var reader = XMLReader()
  private var path: [String] = []
  private var text = ""
  /// Whether keys and prefixes are encoded: servers that do not know how do not say so.
  private var isEncoded = false
  /// Fields that are longer are none that are read here.
  private static let maximumTextBytes = 16 << 10
  private static let maximumFields = 64
  /// The fields of the `Contents` or `CommonPrefixes` that is open.
  private var fields: [String: String] = [:]

  init() {}

  /// - Throws: ``XMLError`` also if an entry lacks what it needs, or there are more of them than a
  ///   page may have.
  mutating func append(_ bytes: some Sequence<UInt8>) throws(XMLError) {
    reader.append(bytes)
    while let event = try reader.next() {
      switch event {
      case .start(let name):
        if path.isEmpty, name != "ListBucketResult" { throw .malformed("no list of a bucket") }
        path.append(name)
        text = ""
        if path.count == 2 { fields = [:] }
      case .text(let more):
        text += more
        guard text.utf8.count <= Self.maximumTextBytes else { throw .tooLong }
      case .end(let name):
        try end(name)
        path.removeLast()
        text = ""
      }
    }
  }

  /// Call at the end of the document.
  mutating func finish() throws(XMLError) {
    guard reader.isComplete else { throw .malformed("the list is cut off") }
    guard isEncoded else { return }
    for index in objects.indices { objects[index].key = try Self.decode(objects[index].key) }
    for index in prefixes.indices { prefixes[index] = try Self.decode(prefixes[index]) }
  }

  private static func decode(_ text: String) throws(XMLError) -> String {
    guard let decoded = PercentEncoding.decodeText(text.utf8, plusIsSpace: true) else {
      throw .malformed("a key that is not encoded as the list says")
    }
    return decoded
  }

  private mutating func end(_ name: String) throws(XMLError) {
    switch (path.count, name) {
    case (3, _):
      fields[name] = text
      guard fields.count <= Self.maximumFields else { throw .tooLong }
    case (2, "Contents"): try addObject()
    case (2, "CommonPrefixes"):
      guard let prefix = fields["Prefix"] else {
        throw .malformed("a prefix without a name")
      }
      prefixes.append(prefix)
    case (2, "EncodingType"): isEncoded = text == "url"
    case (2, "IsTruncated"): isTruncated = text == "true"
    case (2, "NextContinuationToken"): continuation = text
    default: break
    }
    guard objects.count + prefixes.count <= ListRequest.maximumLimit + 1 else {
      throw .malformed("more entries than were asked for")
    }
  }

  private mutating func addObject() throws(XMLError) {
    guard let key = fields["Key"],
      let size = fields["Size"].flatMap({ Int($0) }), size >= 0,
      let etag = fields["ETag"].flatMap({ ETag(header: $0) }),
      let time = fields["LastModified"].flatMap(UTCTime.init(rfc3339:))
    else { throw .malformed("an object that lacks key, size, ETag or time") }
    objects.append(
      ListedObject(key: key, size: size, etag: etag, modified: time.secondsSince1970))
  }
}

extension ETag {
  /// Reads an `ETag` field, with quotation marks or (some servers) without. Nil for weak ones.
  init?(header text: String) {
    if text.hasPrefix("\""), text.hasSuffix("\""), text.utf8.count >= 2 {
      self.init(String(text.dropFirst().dropLast()))
    } else if text.isEmpty || text.hasPrefix("W/") {
      return nil
    } else {
      self.init(text)
    }
  }
}
