/// A page of `ListObjectsV2`, read as it comes in.
///
/// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
struct S3ListDocument {
  private(set) var objects: [ListedObject] = []
  private(set) var prefixes: [String] = []
  private(set) var isTruncated = false
  private(set) var continuation: String?

  private var reader = XMLReader()
  private var path: [String] = []
  private var text = ""
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
      case .text(let more): text += more
      case .end(let name):
        try end(name)
        path.removeLast()
        text = ""
      }
    }
  }

  /// Call at the end of the document.
  func finish() throws(XMLError) {
    guard reader.isComplete else { throw .malformed("the list is cut off") }
  }

  private mutating func end(_ name: String) throws(XMLError) {
    switch (path.count, name) {
    case (3, _): fields[name] = text
    case (2, "Contents"): try addObject()
    case (2, "CommonPrefixes"):
      guard let prefix = fields["Prefix"].flatMap(PercentEncoding.decodeForm) else {
        throw .malformed("a prefix without a name")
      }
      prefixes.append(prefix)
    case (2, "IsTruncated"): isTruncated = text == "true"
    case (2, "NextContinuationToken"): continuation = text
    default: break
    }
    guard objects.count + prefixes.count <= ListRequest.maximumLimit + 1 else {
      throw .malformed("more entries than were asked for")
    }
  }

  private mutating func addObject() throws(XMLError) {
    guard let key = fields["Key"].flatMap(PercentEncoding.decodeForm),
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
