extension RequestFields {
  /// The longest time that a value can be given, in seconds: ten years.
  static let longestTimeToLive = 315_360_000
  /// The longest content type that is kept, in bytes.
  static let longestContentType = 256

  /// When the value ends, in seconds since 1970; nil: never.
  func expires(now: Int64) throws(Refusal) -> Int64? {
    guard let timeToLive else { return nil }
    guard let seconds = Int(timeToLive), timeToLive.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      (1...Self.longestTimeToLive).contains(seconds)
    else {
      throw .badRequest("x-kvs-ttl has to be seconds from 1 to \(Self.longestTimeToLive)")
    }
    return now + Int64(seconds)
  }

  /// Refuses a body that is not the value: a part of it would replace the whole (RFC 9110, section
  /// 14.5), and an encoded one would come back without the word for it.
  func checkContent() throws(Refusal) {
    if contentRange != nil {
      throw .badRequest("a value can only be replaced as a whole: content-range is not supported")
    }
    if let contentEncoding, !"identity".isSameIgnoringCase(contentEncoding) { throw .encoded }
  }

  /// The content type that the client chose; nil if it only sent what clients send by themselves.
  func chosenContentType() throws(Refusal) -> String? {
    guard let contentType else { return nil }
    let essence = contentType.prefix { $0 != ";" && $0 != " " }.lowercased()
    switch essence {
    case "", "application/x-www-form-urlencoded", "application/octet-stream": return nil
    default: break
    }
    guard contentType.utf8.count <= Self.longestContentType,
      contentType.utf8.allSatisfy({ (0x20...0x7e).contains($0) }),
      Self.isTypeAndSubtype(essence)
    else {
      throw .badRequest(
        "content-type has to be a type such as text/plain; charset=utf-8, "
          + "in at most \(Self.longestContentType) ASCII characters")
    }
    return contentType
  }

  private static func isTypeAndSubtype(_ text: String) -> Bool {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    return parts.count == 2
      && parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(Self.isTokenByte) }
  }

  /// `tchar` of RFC 9110, section 5.6.2.
  private static func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "A")...UInt8(ascii: "Z"):
      true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
  }

  /// Whether the client prefers its errors as JSON.
  var wantsJSON: Bool {
    guard let accept else { return false }
    return accept.lowercased().split(separator: ",").contains { range in
      let type = range.prefix { $0 != ";" }.filter { $0 != " " }
      return type == "application/json" || type == "application/problem+json"
    }
  }

  /// Whether the client waits for a word before it sends the body.
  var expectsContinue: Bool { expect.map { "100-continue".isSameIgnoringCase($0) } ?? false }
}
