import FoundationEssentials
import JSON

/// The answer to an ``AdmissionRequest``.
package struct AdmissionResponse: Sendable {
  /// Why a request was not allowed: what the user of kubectl reads.
  package struct Refusal: Sendable, Hashable {
    /// An HTTP status: 403 for a decision, 500 for a failure of ours.
    package var code: Int
    package var message: String

    package init(code: Int, message: String) {
      self.code = code
      self.message = message
    }
  }

  /// Nil: allowed.
  package var refusal: Refusal?
  /// An RFC 6902 patch as JSON text.
  package var patch: [UInt8]?
  /// Shown to the user by kubectl; the API server wants each below 256 bytes.
  package var warnings: [String]

  package init(refusal: Refusal? = nil, patch: [UInt8]? = nil, warnings: [String] = []) {
    self.refusal = refusal
    self.patch = patch
    self.warnings = warnings
  }

  package static let allowed = AdmissionResponse()

  package static func denied(_ message: String) -> Self {
    AdmissionResponse(refusal: Refusal(code: 403, message: message))
  }

  package static func failed(_ message: String) -> Self {
    AdmissionResponse(refusal: Refusal(code: 500, message: message))
  }

  /// The AdmissionReview that carries this answer to the request `uid`.
  package func encoded(uid: String) -> [UInt8] {
    var writer = JSONWriter(reserving: 256 + (patch?.count ?? 0) * 3 / 2)
    writer.object { review in
      review.field("apiVersion", "admission.k8s.io/v1")
      review.field("kind", "AdmissionReview")
      review.object("response") { response in
        response.field("uid", uid)
        response.field("allowed", refusal == nil)
        if let patch {
          response.field("patchType", "JSONPatch")
          response.key("patch")
          response.ascii(Data(patch).base64EncodedData())
        }
        if let refusal { Self.write(refusal, to: &response) }
        if !warnings.isEmpty {
          response.array("warnings") { list in
            for warning in warnings { list.string(warning) }
          }
        }
      }
    }
    return writer.bytes
  }

  private static func write(_ refusal: Refusal, to response: inout JSONWriter) {
    response.object("status") { status in
      status.field("status", "Failure")
      status.field("code", refusal.code)
      status.field("reason", refusal.code == 403 ? "Forbidden" : "InternalError")
      status.field("message", refusal.message)
    }
  }
}
