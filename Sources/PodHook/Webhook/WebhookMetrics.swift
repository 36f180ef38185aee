import Metrics

/// What the webhook counts. The handles are made once: a request only adds to them.
struct WebhookMetrics: Sendable {
  let malformed = Counter(label: "admission_malformed_requests_total")
  private let admissions: [AdmissionOutcome: Counter]
  private let duration: [AdmissionOutcome: Timer]

  init() {
    var admissions: [AdmissionOutcome: Counter] = [:]
    var duration: [AdmissionOutcome: Timer] = [:]
    for outcome in AdmissionOutcome.allCases {
      let dimensions = [("outcome", outcome.rawValue)]
      admissions[outcome] = Counter(
        label: "admissions_total",
        dimensions: dimensions + [("allowed", outcome.isAllowed ? "true" : "false")])
      duration[outcome] = Timer(label: "admission_duration_seconds", dimensions: dimensions)
    }
    self.admissions = admissions
    self.duration = duration
  }

  func record(_ outcome: AdmissionOutcome, _ time: Duration) {
    admissions[outcome]?.increment()
    duration[outcome]?.record(duration: time)
  }
}
