import AdmissionReview
import Foundation
import JSON
import Testing

/// What a real API server sent (Kubernetes 1.36), and damage to it.
@Suite struct AdmissionRequestTests {
  static let recorded = [
    "bare-pod-host-network-odd-key", "bare-pod-missing-key-bad-expiration", "configmap-create",
    "cronjob-pod-semaphore-unicode-args", "deployment-pod-with-init-and-native-sidecar",
    "dry-run-pod", "generate-name-pod", "job-pod", "plain-pod-no-annotations", "pod-delete",
    "pod-update", "statefulset-pod-semaphore",
  ]

  static func fixture(_ name: String) throws -> [UInt8] {
    let path = try #require(Bundle.module.path(forResource: "Fixtures/\(name)", ofType: "json"))
    return try Array(Data(contentsOf: URL(filePath: path)))
  }

  @Test(arguments: recorded)
  func readsWhatAnAPIServerSends(name: String) throws {
    let request = try AdmissionRequest(parsing: try Self.fixture(name))
    #expect(request.uid.count == 36)
    #expect(request.namespace == "demo")
    #expect(["CREATE", "UPDATE", "DELETE"].contains(request.operation))
    #expect((request.object == nil) == (request.operation == "DELETE"))
    #expect(request.isDryRun == (name == "dry-run-pod"))
    #expect(request.kind.kind == (name == "configmap-create" ? "ConfigMap" : "Pod"))
  }

  @Test func everyBeginningIsRefused() throws {
    let bytes = try Self.fixture("plain-pod-no-annotations")
    for length in stride(from: 0, to: bytes.count - 2, by: 7) {
      #expect(throws: AdmissionReviewError.self) {
        try AdmissionRequest(parsing: Array(bytes[..<length]))
      }
    }
  }

  @Test(arguments: [
    ("[]", "the body must be an object"),
    ("{}", "kind must be AdmissionReview"),
    (#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1beta1"}"#, "apiVersion"),
    (#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"}"#, "request"),
    (#"{"kind":"AdmissionReview","kind":"x","apiVersion":"admission.k8s.io/v1"}"#, "twice"),
    (#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{}}"#, "uid"),
    (
      #"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u"}}"#,
      "request.kind.kind"
    ),
    (String(repeating: "[", count: 100_000), "nested"),
  ])
  func namesWhatIsWrong(text: String, part: String) {
    let error = #expect(throws: AdmissionReviewError.self) {
      try AdmissionRequest(parsing: Array(text.utf8))
    }
    #expect(error?.description.contains(part) == true)
  }

  @Test func theAnswerCarriesUidPatchAndWarnings() throws {
    var patch = JSONPatch()
    patch.add(JSONPointer("a")) { $0.bool(true) }
    let answer = AdmissionResponse(patch: patch.bytes, warnings: ["careful"])
    let json = try JSONValue(parsing: answer.encoded(uid: "u-1"))
    #expect(json["apiVersion"] == "admission.k8s.io/v1")
    #expect(json["response"]?["uid"] == "u-1")
    #expect(json["response"]?["allowed"] == true)
    #expect(json["response"]?["patchType"] == "JSONPatch")
    #expect(json["response"]?["warnings"] == ["careful"])
    let text = try #require(json["response"]?["patch"]?.string)
    #expect(Data(base64Encoded: text).map(Array.init) == patch.bytes)
  }

  @Test func aRefusalCarriesCodeAndMessage() throws {
    let json = try JSONValue(parsing: AdmissionResponse.denied("no").encoded(uid: "u"))
    #expect(json["response"]?["allowed"] == false)
    #expect(json["response"]?["status"]?["code"] == 403)
    #expect(json["response"]?["status"]?["message"] == "no")
    #expect(json["response"]?["patch"] == nil)
    let failed = try JSONValue(parsing: AdmissionResponse.failed("down").encoded(uid: "u"))
    #expect(failed["response"]?["status"]?["code"] == 500)
  }
}
