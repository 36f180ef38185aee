package import JSON

/// The request inside an `admission.k8s.io/v1` AdmissionReview.
///
/// Reference: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
package struct AdmissionRequest: Sendable {
  /// Group, version and kind of an object; the core group is empty.
  package struct Kind: Sendable, Hashable {
    package let group: String
    package let version: String
    package let kind: String
  }

  /// The uid of this call, to be sent back. The API server makes a new one for every call.
  package let uid: String
  package let kind: Kind
  /// Empty when the API server will generate it after admission (`generateName`).
  package let name: String
  package let namespace: String
  /// `CREATE`, `UPDATE`, `DELETE` or `CONNECT`.
  package let operation: String
  /// Whether nothing may be changed anywhere by this call.
  package let isDryRun: Bool
  /// The object as it was sent, unknown fields included; nil for a deletion.
  package let object: JSONNode?

  /// Reads a review.
  ///
  /// - Parameter limits: what the text may cost; texts beyond them are refused before they are read.
  package init(
    parsing bytes: [UInt8], limits: JSONDocument.Limits = .init()
  ) throws(AdmissionReviewError) {
    do {
      let review = try JSONDocument(parsing: bytes, limits: limits).root
      guard review.isObject else { throw AdmissionReviewError.wrong("the body", "an object") }
      guard try review.field("kind")?.string == "AdmissionReview" else {
        throw AdmissionReviewError.wrong("kind", "AdmissionReview")
      }
      guard try review.field("apiVersion")?.string == "admission.k8s.io/v1" else {
        throw AdmissionReviewError.wrong("apiVersion", "admission.k8s.io/v1")
      }
      guard let request = try review.field("request"), request.isObject else {
        throw AdmissionReviewError.wrong("request", "an object")
      }
      try self.init(request: request)
    } catch {
      throw error as? AdmissionReviewError
        ?? AdmissionReviewError(description: "the body is not acceptable JSON: \(error)")
    }
  }

  private init(request: JSONNode) throws {
    guard let uid = try request.field("uid")?.string, !uid.isEmpty, uid.utf8.count <= 128 else {
      throw AdmissionReviewError.wrong("request.uid", "a string of 1 to 128 bytes")
    }
    guard let kind = try request.field("kind"), let kindName = try kind.field("kind")?.string else {
      throw AdmissionReviewError.wrong("request.kind.kind", "a string")
    }
    guard let operation = try request.field("operation")?.string else {
      throw AdmissionReviewError.wrong("request.operation", "a string")
    }
    self.uid = uid
    self.kind = Kind(
      group: try kind.field("group")?.string ?? "",
      version: try kind.field("version")?.string ?? "",
      kind: kindName)
    self.operation = operation
    name = try request.field("name")?.string ?? ""
    namespace = try request.field("namespace")?.string ?? ""
    isDryRun = try request.field("dryRun")?.bool ?? false
    let object = try request.field("object")
    self.object = object?.isObject == true ? object : nil
  }
}

extension AdmissionReviewError {
  fileprivate static func wrong(_ field: String, _ allowed: String) -> Self {
    Self(description: "not an AdmissionReview: \(field) must be \(allowed)")
  }
}
