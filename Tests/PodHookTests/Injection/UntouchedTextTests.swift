import AdmissionReview
import Coordination
import JSON
import PodHook
import Testing

/// What the program does not know must survive, so the patch must not go near it.
@Suite struct UntouchedTextTests {
  private static let annotations = """
    "\(Pods.domain)/exactly-one-pod":"true","\(Pods.domain)/key":"k",\
    "\(Pods.domain)/expiration":"60"
    """

  private func review(metadata: String = "", spec: String) throws -> AdmissionRequest {
    let text = """
      {"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u",
      "kind":{"group":"","version":"v1","kind":"Pod"},"namespace":"demo","operation":"CREATE",
      "object":{"metadata":{"name":"p"\(metadata),"annotations":{\(Self.annotations)}},
      "spec":{\(spec)}}}}
      """
    return try AdmissionRequest(parsing: Array(text.utf8))
  }

  private func review(_ request: AdmissionRequest) async -> (PodAdmission.Verdict, Admitting) {
    let admitting = Admitting()
    return (await admitting.hook.review(request, deadline: .seconds(2000)), admitting)
  }

  /// Every path that the patch names, so that nothing else can have changed.
  private func paths(_ verdict: PodAdmission.Verdict) throws -> [String] {
    let patch = try JSONValue(parsing: try #require(verdict.response.patch))
    return (patch.array ?? []).compactMap { $0["path"]?.string }
  }

  private static let expectedPaths = [
    "/metadata/annotations/exactly-one-pod-hook.kaidotio.github.io~1fencing-token",
    "/metadata/labels",
    "/metadata/labels/exactly-one-pod-hook.kaidotio.github.io~1managed",
    "/metadata/labels/exactly-one-pod-hook.kaidotio.github.io~1lock-id",
    "/spec/initContainers",
  ]

  @Test(arguments: [
    #""containers":[{"name":"app"}],"futureField":{"deep":[1,{"x":null}]}"#,
    #""containers":[{"name":"app","huge":123456789012345678901234567890.12e+400}]"#,
    #""containers":[{"name":"app","odd":"\ud800 \u0000 \/"}],"negative":-0.0"#,
    #""containers":[{"name":"app"}],"unread":{"a":1,"a":2}"#,
    #""containers":[{"name":"app","unread":[{"a":1,"a":2}]}],"":{"":""}"#,
  ])
  func thePatchNamesOnlyWhatItAdds(spec: String) async throws {
    let (verdict, _) = await review(try review(spec: spec))
    #expect(verdict.outcome == .granted)
    #expect(try paths(verdict) == Self.expectedPaths)
  }

  @Test func hugeNumbersAndUnknownFieldsAreInThePatchedPodAsSent() async throws {
    let request = try review(
      spec: #""containers":[{"name":"app"}],"n":[1.0,1e400,100000000000000000001,-0],"x":{"y":[]}"#)
    let (verdict, admitting) = await review(request)
    let before = try JSONValue(try #require(request.object))
    let admitted = try Admitted(verdict, before, admitting.identity)
    #expect(admitted.pod["spec"]?["n"] == before["spec"]?["n"])
    #expect(
      admitted.pod["spec"]?["n"]?.array
        == [.number("1.0"), .number("1e400"), .number("100000000000000000001"), .number("-0")])
    #expect(admitted.pod["spec"]?["x"] == ["y": []])
  }

  /// Readers disagree about which of two members counts: nothing may be decided on either.
  @Test(arguments: [
    (#","annotations":{}"#, #""containers":[{"name":"app"}]"#, "annotations"),
    (#","labels":{},"labels":{}"#, #""containers":[{"name":"app"}]"#, "labels"),
    ("", #""containers":[{"name":"app"}],"containers":[]"#, "containers"),
    ("", #""containers":[{"name":"app","name":"exactly-one-pod-sidecar"}]"#, "name"),
    ("", #""containers":[{"name":"app"}],"hostNetwork":true,"hostNetwork":false"#, "hostNetwork"),
    ("", #""containers":[{"name":"app"}],"os":{"name":"linux","n\u0061me":"windows"}"#, "name"),
    (
      "", #""containers":[{"name":"app","resources":{"limits":{},"limits":{}}}]"#, "limits"
    ),
  ])
  func aFieldThatIsReadMustBeThereOnce(
    metadata: String, spec: String, field: String
  ) async throws {
    let (verdict, admitting) = await review(try review(metadata: metadata, spec: spec))
    #expect(verdict.outcome == .ambiguous)
    #expect(verdict.response.refusal?.code == 403)
    #expect(verdict.response.refusal?.message.contains(field) == true)
    #expect(try await admitting.store.owner(Admitting.key) == nil)
  }

  /// The kubelet replaces `$(NAME)` by a variable and `$$` by `$`.
  @Test(arguments: [
    ("$(POD_NAME)", "$$(POD_NAME)"), ("a$$b", "a$$$$b"), ("cost$", "cost$$"),
    ("$$(POD_NAME)", "$$$$(POD_NAME)"),
    // One character to a reader, but a dollar to the kubelet.
    ("\u{0600}$(POD_NAME)", "\u{0600}$$(POD_NAME)"),
    ("$\u{0301}(POD_NAME)", "$$\u{0301}(POD_NAME)"),
  ])
  func dollarsReachTheSidecarAsWritten(key: String, argument: String) async throws {
    let admitted = try await Admitting().admit(Pods.pod(key: key))
    let sent = try #require(admitted.sidecar["args"]?[1]?.string)
    #expect(Array(sent.unicodeScalars) == Array(("demo/" + argument).unicodeScalars))
    #expect(Array(Kubelet.expand(sent).unicodeScalars) == Array(("demo/" + key).unicodeScalars))
  }
}

/// What the kubelet does to an argument (`expansion.Expand` in Kubernetes).
private enum Kubelet {
  static func expand(_ text: String) -> String {
    var result = ""
    var rest = Array(text.unicodeScalars)[...]
    while let scalar = rest.popFirst() {
      guard scalar == "$", let next = rest.first else {
        result.unicodeScalars.append(scalar)
        continue
      }
      if next == "$" {
        rest = rest.dropFirst()
        result += "$"
      } else if next == "(", let end = rest.firstIndex(of: ")") {
        rest = rest[(end + 1)...]
        result += "<expanded>"
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
