import HTTPUpstream
import NIOCore
import NIOHTTP1

/// One operation on a bucket, before it is signed.
struct S3Call: Sendable {
  var method: HTTPMethod
  /// Nil: the bucket.
  var key: ObjectKey?
  var query: [(name: String, value: String)] = []
  /// All are signed.
  var headers: [(name: String, value: String)] = []
  var body: ByteBuffer?
  /// Whether the body of a good answer is left to the caller to read.
  var streams = false
  /// Whether a 200 may have an error in its body: what takes long begins to answer before it knows.
  var mayFailLate = false
  /// In place of the configuration's.
  var attempts: Int?
  var answerTimeout: Duration?

  init(_ method: HTTPMethod, _ key: ObjectKey? = nil) {
    self.method = method
    self.key = key
  }

  /// For messages.
  var name: String {
    let operation = query.first { ["uploads", "uploadId", "list-type"].contains($0.name) }
    return switch operation?.name {
    case "list-type": "listing"
    case "uploads": "beginning an upload"
    case "uploadId" where method == .PUT: "sending a part"
    case "uploadId" where method == .POST: "completing an upload"
    case "uploadId": "aborting an upload"
    default: method.rawValue
    }
  }
}

/// What S3 said to a call: success, or what sending it again does not change.
struct S3Answer {
  var status: Int
  var headers: HTTPHeaders
  /// Empty where the body is left to the caller.
  var body: [UInt8]
  /// With the body that the caller reads; nil if there is none left.
  var response: HTTPUpstreamResponse?
  /// What a refusal says. Empty for a HEAD, which says nothing.
  var error: S3ErrorDocument
  /// Whether an earlier attempt, that got another answer or none, may have been carried out.
  var mayHaveRunBefore: Bool

  var isSuccess: Bool { (200..<300).contains(status) }

  func header(_ name: String) -> String? { headers.first(name: name) }
}
