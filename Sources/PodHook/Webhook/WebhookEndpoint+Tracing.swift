import AdmissionReview
import HTTPTypes
import HummingbirdCore
import Logging
import ServiceKit
import ServiceContextModule
import Tracing

extension WebhookEndpoint {
  /// Decides, in a span if traces are exported and with the caller's trace if it sent one, and logs
  /// the decision as one line.
  func decide(
    _ request: Request, _ review: AdmissionRequest, deadline: Duration
  ) async -> PodAdmission.Verdict {
    guard isTracing || request.headers.contains(where: { $0.name.canonicalName == "traceparent" })
    else {
      return await decide(review, deadline: deadline)
    }
    var context = ServiceContext.topLevel
    tracer.extract(request.headers, into: &context, using: HTTPFieldsExtractor())
    guard isTracing else {
      return await ServiceContext.withValue(context) {
        await decide(review, deadline: deadline)
      }
    }
    return await tracer.withSpan("admission", context: context, ofKind: .server) { span in
      let verdict = await decide(review, deadline: deadline)
      span.attributes["admission.outcome"] = verdict.outcome.rawValue
      span.attributes["k8s.namespace.name"] = review.namespace
      if verdict.outcome == .storeUnavailable { span.setStatus(.init(code: .error)) }
      return verdict
    }
  }

  private func decide(
    _ review: AdmissionRequest, deadline: Duration
  ) async -> PodAdmission.Verdict {
    let verdict = await admission.review(review, deadline: deadline)
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

/// Reads the trace of a request's headers.
private struct HTTPFieldsExtractor: Extractor {
  func extract(key: String, from fields: HTTPFields) -> String? {
    HTTPField.Name(key).flatMap { fields[$0] }
  }
}
