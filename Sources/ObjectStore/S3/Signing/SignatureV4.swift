import Crypto
import URIEncoding

/// Signature version 4 of AWS, pure: the time is a parameter.
///
/// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
struct SignatureV4: Sendable {
  /// What of a request is signed.
  struct Request: Sendable {
    var method: String
    /// Encoded, as it is sent. For S3 this is the canonical path: nothing is resolved in it.
    var path: String
    /// ``SignatureV4/canonicalQuery(_:)``, as it is sent.
    var query: String
    /// In any order and case; `host` and all `x-amz-…` have to be among them.
    var headers: [(name: String, value: String)]
    /// The SHA-256 of the body in hexadecimal, or a word in its place.
    var payload: String
  }

  /// In place of a hash: the body is not signed.
  static let unsignedPayload = "UNSIGNED-PAYLOAD"
  /// The hash of nothing.
  static let emptyPayload = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

  let time: String
  let scope: String
  private let accessKeyID: String
  private let key: SymmetricKey

  init(accessKeyID: String, key: SigningKey, time: UTCTime) {
    self.accessKeyID = accessKeyID
    self.time = time.basic
    self.key = key.key
    scope = key.scope
  }

  /// The value of `Authorization`.
  func authorization(for request: Request) -> String {
    let (canonical, signedHeaders) = Self.canonicalRequest(request)
    return "AWS4-HMAC-SHA256 Credential=\(accessKeyID)/\(scope), SignedHeaders=\(signedHeaders), "
      + "Signature=\(signature(of: canonical))"
  }

  private func signature(of canonicalRequest: [UInt8]) -> String {
    var text = Array("AWS4-HMAC-SHA256\n\(time)\n\(scope)\n".utf8)
    Self.appendHexadecimal(SHA256.hash(data: canonicalRequest), to: &text)
    var signature: [UInt8] = []
    Self.appendHexadecimal(
      HMAC<SHA256>.authenticationCode(for: text, using: key), to: &signature)
    return String(decoding: signature, as: UTF8.self)
  }

  /// Names and values encoded, in the order of their encoded bytes.
  static func canonicalQuery(_ items: [(name: String, value: String)]) -> String {
    if items.isEmpty { return "" }
    return
      items
      .map { (PercentEncoding.encode($0.name), PercentEncoding.encode($0.value)) }
      .sorted { $0.0 == $1.0 ? $0.1 < $1.1 : $0.0 < $1.0 }
      .map { "\($0.0)=\($0.1)" }.joined(separator: "&")
  }

  static func canonicalRequest(_ request: Request) -> (text: [UInt8], signedHeaders: String) {
    var text: [UInt8] = []
    text.reserveCapacity(512 + request.path.utf8.count)
    for line in [request.method, request.path, request.query] {
      text.append(contentsOf: line.utf8)
      text.append(newline)
    }
    // A stable order: values of one name stay as they are sent.
    let headers = request.headers.enumerated().map {
      (index: $0, name: $1.name.lowercased(), value: $1.value)
    }.sorted { $0.name == $1.name ? $0.index < $1.index : $0.name < $1.name }
    var names: [UInt8] = []
    var previous: String?
    for header in headers {
      if header.name == previous {
        text[text.count - 1] = UInt8(ascii: ",")
      } else {
        if previous != nil { names.append(UInt8(ascii: ";")) }
        names.append(contentsOf: header.name.utf8)
        text.append(contentsOf: header.name.utf8)
        text.append(UInt8(ascii: ":"))
        previous = header.name
      }
      appendTrimmed(header.value, to: &text)
      text.append(newline)
    }
    text.append(newline)
    text.append(contentsOf: names)
    text.append(newline)
    text.append(contentsOf: request.payload.utf8)
    return (text, String(decoding: names, as: UTF8.self))
  }

  private static let newline = UInt8(ascii: "\n")

  /// Without space at the ends, and runs of it as one.
  private static func appendTrimmed(_ value: String, to text: inout [UInt8]) {
    var isFirst = true
    for word in value.utf8.split(whereSeparator: { [0x20, 0x09, 0x0a, 0x0d].contains($0) }) {
      if !isFirst { text.append(UInt8(ascii: " ")) }
      text.append(contentsOf: word)
      isFirst = false
    }
  }

  private static func appendHexadecimal(_ bytes: some Sequence<UInt8>, to text: inout [UInt8]) {
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
  }

  private static let digits = Array("0123456789abcdef".utf8)
}
