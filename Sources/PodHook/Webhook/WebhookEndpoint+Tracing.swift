import AdmissionReview
import HTTPTypes
import HummingbirdCore
import Logging
import ServiceKit
import Tracing

extension WebhookEndpoint {
  /// Runs the decision in a span and logs it as one line.
  func traced(
    _ request: Request, _ review: AdmissionRequest,
    _ decide: () async -> PodAdmission.Verdict
  ) async -> PodAdmission.Verdict {
    let verdict = await decide()
    log(verdict, review)
    return verdict
  }

  private func log(_ verdict: PodAdmission.Verdict, _ review: AdmissionRequest) {
    let level: Logger.Level =
      switch verdict.outcome {
      case .notGuarded: .debug
      case .storeUnavailable: .error
      default: .info
      }
    guard level >= logger.logLevel else { return }
    var metadata: Logger.Metadata = [
      "outcome": "\(verdict.outcome.rawValue)", "namespace": "\(review.namespace)",
      "pod": "\(verdict.pod)", "uid": "\(review.uid)",
    ]
    if let key = verdict.key { metadata["key"] = "\(key)" }
    if let refusal = verdict.response.refusal { metadata["reason"] = "\(refusal.message)" }
    logger.log(
      level: level, verdict.outcome.isAllowed ? "pod admitted" : "pod refused",
      metadata: metadata)
  }
}
