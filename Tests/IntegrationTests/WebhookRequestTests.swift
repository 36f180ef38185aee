import AsyncHTTPClient
import JSON
import LocalKubelet
import LocalServers
import NIOHTTP1
import Testing

/// What the webhook makes of requests, good and bad, over TLS.
@Suite(.serialized, .cluster { $0.redisCount = 1 }) struct WebhookRequestTests {
  private func post(
    _ body: [UInt8], path: String = "/mutate?timeout=10s", type: String? = "application/json",
    isChunked: Bool = false
  ) async throws -> Reply {
    let cluster = try cluster()
    return try await withClient(trusting: cluster.certificates.authorityPath) { client in
      try await client.post(
        "https://127.0.0.1:\(cluster.hook.port)\(path)", body, type: type, isChunked: isChunked)
    }
  }

  private let plain = review(plainPod("plain")).encoded

  @Test func aPodThatIsNotAnnotatedIsAllowedAsItIs() async throws {
    let reply = try await post(plain)
    #expect(reply.status == 200)
    #expect(reply.headers.first(name: "content-type") == "application/json")
    let answer = try JSONValue(parsing: reply.body)
    #expect(answer["kind"] == "AdmissionReview")
    #expect(answer["apiVersion"] == "admission.k8s.io/v1")
    #expect(reply.response?["uid"] == "705ab4f5-6393-11e8-b7cc-42010a800002")
    #expect(reply.response?["allowed"] == true)
    #expect(reply.response?["patch"] == nil)
  }

  @Test(arguments: ["text/plain", "application/yaml", "application/jsonx", nil])
  func anotherContentTypeIs400(_ type: String?) async throws {
    let reply = try await post(plain, type: type)
    #expect(reply.status == 400)
    #expect(reply.text == "content type must be application/json\n")
  }

  @Test func aContentTypeMayHaveParameters() async throws {
    #expect(try await post(plain, type: "application/json; charset=utf-8").status == 200)
  }

  @Test func anotherPathIs404() async throws {
    #expect(try await post(plain, path: "/").status == 404)
    #expect(try await post(plain, path: "/mutate/").status == 404)
  }

  @Test func anotherMethodIs405() async throws {
    let cluster = try cluster()
    let reply = try await withClient(trusting: cluster.certificates.authorityPath) {
      try await $0.get(cluster.hook.address)
    }
    #expect(reply.status == 405)
  }

  @Test(arguments: [false, true])
  func nineMebibytesAre413(isChunked: Bool) async throws {
    var pod = plainPod("large")
    pod["metadata"]?["annotations"] = ["x": .string(String(repeating: "x", count: 9 << 20))]
    let reply = try await post(review(pod).encoded, isChunked: isChunked)
    #expect(reply.status == 413)
    #expect(reply.text == "the body is larger than 8388608 bytes\n")
    // The server lives on.
    #expect(try await post(plain).status == 200)
  }

  @Test func sevenMebibytesAreRead() async throws {
    var pod = plainPod("large")
    pod["metadata"]?["annotations"] = ["x": .string(String(repeating: "x", count: 7 << 20))]
    #expect(try await post(review(pod).encoded).response?["allowed"] == true)
  }

  @Test(arguments: [
    "", "x", "[]", "null", "{}", "{\"kind\":\"AdmissionReview\"}",
    "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\"}",
    "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{\"uid\":1}}",
  ])
  func whatIsNoAdmissionReviewIs400WithOneLine(_ text: String) async throws {
    try await expectMalformed(Array(text.utf8))
  }

  @Test func aTruncatedReviewIs400() async throws {
    for share in 1..<10 { try await expectMalformed(Array(plain.prefix(plain.count * share / 10))) }
    try await expectMalformed(plain + Array("}".utf8))
  }

  @Test func aWrongVersionOrKindIs400() async throws {
    for (key, value) in [
      ("apiVersion", "admission.k8s.io/v1beta1"), ("apiVersion", "v1"), ("kind", "Pod"),
    ] {
      var wrong = review(plainPod("plain"))
      wrong[key] = .string(value)
      try await expectMalformed(wrong.encoded)
    }
  }

  @Test func deepNestingIs400() async throws {
    let opened = String(repeating: "{\"a\":", count: 100_000)
    try await expectMalformed(Array(opened.utf8))
    try await expectMalformed(Array(String(repeating: "[", count: 1_000_000).utf8))
    let closed = String(repeating: "[", count: 50_000) + String(repeating: "]", count: 50_000)
    try await expectMalformed(Array(closed.utf8))
  }

  @Test func keysThatAreThereTwiceAreNotGuessedAt() async throws {
    let text = String(decoding: plain, as: UTF8.self)
    try await expectMalformed(Array(("{\"kind\":\"AdmissionReview\"," + text.dropFirst()).utf8))
    let guarded = String(
      decoding: review(guardedPod("twice", key: "twice")).encoded, as: UTF8.self)
    let name = "\"\(annotation("key"))\":"
    let twice = guarded.replacing(name, with: "\(name)\"other\",\(name)")
    let reply = try await post(Array(twice.utf8))
    #expect(reply.status == 400 || reply.response?["allowed"] == false)
  }

  private func expectMalformed(_ body: [UInt8]) async throws {
    let reply = try await post(body)
    #expect(reply.status == 400, "\(String(decoding: body.prefix(100), as: UTF8.self))")
    #expect(reply.text.count { $0.isNewline } == 1 && reply.text.count > 5, "\(reply.text)")
  }

  @Test func badAnnotationsAndWindowsAreRefusedWithTheReason() async throws {
    var noKey = guardedPod("p", key: "")
    noKey["metadata"]?["annotations"]?[annotation("key")] = nil
    var windows = guardedPod("p", key: "k")
    windows["spec"]?["os"] = ["name": "windows"]
    let cases: [(JSONValue, String)] = [
      (noKey, "valid key is not set"),
      (guardedPod("p", key: "k", expiration: 0), "valid expiration is not set"),
      (guardedPod("p", key: "k", policy: "maybe"), "policy must be \"deny\" or \"wait\""),
      (windows, "windows pods are not supported"),
    ]
    for (pod, message) in cases {
      let refusal = try await cluster().kubelet.refusal(of: pod)
      #expect(refusal.code == 403 && refusal.message == message)
    }
  }

  @Test func whatTheHookDoesNotKnowSurvives() async throws {
    var pod = guardedPod("unknown", key: "unknown")
    pod["spec"]?["fieldOfTheFuture"] = ["number": .number("1.50e3"), "text": "\u{e9}\u{2028}\"\\/"]
    let (patched, warnings) = try await cluster().kubelet.admit(pod)
    #expect(patched["spec"]?["fieldOfTheFuture"] == pod["spec"]?["fieldOfTheFuture"])
    #expect(patched["spec"]?["containers"] == pod["spec"]?["containers"])
    #expect(patched.sidecars.count == 1)
    #expect(patched.fencingToken != nil)
    #expect(warnings.isEmpty)
  }

  @Test func aDryRunTakesNothing() async throws {
    let cluster = try cluster()
    let (rehearsed, _) = try await cluster.kubelet.admit(
      guardedPod("first", key: "dry"), dryRun: true)
    #expect(rehearsed.sidecars.count == 1)
    let (real, _) = try await cluster.kubelet.admit(guardedPod("second", key: "dry"))
    #expect(real.sidecarToken != rehearsed.sidecarToken)
    #expect(real.fencingToken == rehearsed.fencingToken)
  }
}
