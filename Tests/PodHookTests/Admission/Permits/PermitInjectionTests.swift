import AdmissionReview
import Coordination
import JSON
import PodHook
import Testing

/// The whole Pod after its admission by the semaphore's hook.
@Suite struct PermitInjectionTests {
  private static let domain = Pods.permitDomain

  /// The sidecar that replaces the terms of a lock by those of a permit.
  private func sidecar(
    _ token: Token, length: Int = 2, lockSeconds: Int = 10, interval: Int = 30, stale: Int = 120
  ) throws -> JSONValue {
    var sidecar = try WholePodTests.sidecar(
      token, key: "demo/k", expiration: 1, margin: 1, grace: 30)
    sidecar["name"] = "at-least-semaphore-pod-sidecar"
    sidecar["startupProbe"]?["httpGet"]?["port"] = 65530
    sidecar["args"] = .array(
      [
        "sidecar", "demo/k", token.text, "--length", "\(length)", "--lock-seconds",
        "\(lockSeconds)", "--heartbeat-interval-seconds", "\(interval)",
        "--stale-threshold-seconds", "\(stale)", "--fence", "restart-all",
        "--termination-grace-period-seconds", "30", "--probe-address", ":65530", "--queue", "q:1",
      ].map { .string($0) })
    return sidecar
  }

  private var template: SidecarTemplate {
    var template = PermitAdmitting.template
    template.storeArguments = ["--queue", "q:1"]
    return template
  }

  @Test func aGrantedPodGetsItsSidecarAndTwoLabels() async throws {
    let admitting = PermitAdmitting(template)
    let before = Pods.permitPod(spec: ["initContainers": [Pods.container("migrate")]])
    let admitted = try await admitting.admit(before)
    #expect(admitted.verdict.outcome == .granted)
    #expect(admitted.verdict.claim == admitted.token)
    var expected = before
    expected["metadata"]?["labels"] = [:]
    expected["metadata"]?["labels"]?["\(Self.domain)/managed"] = "true"
    expected["metadata"]?["labels"]?["\(Self.domain)/lock-id"] = .string(admitted.token.publicID)
    expected["spec"]?["initContainers"] = [
      try sidecar(admitted.token), Pods.container("migrate"),
    ]
    #expect(admitted.pod.differences(from: expected) == [])
    try await admitting.expectNoLock()
  }

  /// There is none for a permit, so one that the user wrote would be believed.
  @Test func aFencingTokenIsNeitherSetNorLeft() async throws {
    let plain = try await PermitAdmitting().admit(Pods.permitPod())
    #expect(plain.pod.annotation("\(Self.domain)/fencing-token") == nil)
    let forged = try await PermitAdmitting().admit(
      Pods.permitPod(annotations: [
        "fencing-token": "999", "\(Pods.domain)/fencing-token": "7",
      ]))
    #expect(forged.pod.annotation("\(Self.domain)/fencing-token") == nil)
    #expect(forged.pod.annotation("\(Pods.domain)/fencing-token") == "7")
  }

  @Test func theSidecarIsToldWhatTheWebhookWasTold() async throws {
    let admitting = PermitAdmitting(
      template, claimTime: .seconds(20), heartbeatInterval: .seconds(7), staleAfter: .seconds(50))
    let admitted = try await admitting.admit(Pods.permitPod(length: "9", expiration: "300"))
    let expected = try sidecar(
      admitted.token, length: 9, lockSeconds: 300, interval: 7, stale: 50)
    #expect(admitted.sidecar.differences(from: expected) == [])
  }

  @Test func theClaimNamesThePodAndIsBoundToNone() async throws {
    let admitting = PermitAdmitting()
    let admitted = try await admitting.admit(Pods.permitPod(name: nil, owner: "web-1"))
    let permit = try #require(try await admitting.queue.inFlight().first)
    #expect(permit.token == admitted.token)
    #expect(
      permit.holder
        == Holder(
          pod: "app-", isGeneratedName: true, owner: "ReplicaSet/web-1", since: Admitting.today))
    #expect(admitted.token.text.count == 36)
  }

  /// A claim that nobody comes for counts as stale after its time, whatever the threshold is.
  @Test(arguments: [20, 120, 3600])
  func theClaimWaitsForItsSidecarAndNoLonger(seconds: Int) async throws {
    let admitting = PermitAdmitting(claimTime: .seconds(seconds))
    _ = try await admitting.admit(Pods.permitPod(length: "1"))
    admitting.time.advance(by: .seconds(min(seconds, 120)))
    #expect(try await admitting.create(Pods.permitPod(length: "1")).outcome == .exhausted)
    admitting.time.advance(by: .nanoseconds(1))
    _ = try await admitting.admit(Pods.permitPod(length: "1"))
    #expect(try await admitting.queue.numbers().reclaimed == 1)
  }

  @Test func onTheHostsNetworkTheSidecarListensOnASocket() async throws {
    let admitted = try await PermitAdmitting().admit(
      Pods.permitPod(spec: ["hostNetwork": true]))
    let id = admitted.token.publicID
    let address = "unix:@at-least-semaphore-pod-sidecar-\(id)"
    #expect(admitted.sidecar.argument("--probe-address") == address)
    let probe = admitted.sidecar["startupProbe"]
    #expect(probe?["httpGet"] == nil)
    #expect(
      probe?["exec"]?["command"]
        == [
          "/at-least-semaphore-pod-hook", "sidecar", "check", "--probe-address", .string(address),
          "--path", .string("/startupz/\(id)"),
        ])
  }

  @Test func aVariantIsInEveryName() async throws {
    let admitting = PermitAdmitting(template, variant: "blue")
    let admitted = try await admitting.admit(Pods.permitPod(variant: "blue"))
    #expect(admitted.sidecar["name"] == "at-least-semaphore-pod-sidecar-blue")
    #expect(admitted.sidecar.argument("--variant") == "blue")
    #expect(admitted.pod.label("blue.\(Self.domain)/managed") == "true")
    #expect(admitted.pod.label("\(Self.domain)/managed") == nil)
    #expect(try await admitting.create(Pods.permitPod()).outcome == .notGuarded)
  }
}
