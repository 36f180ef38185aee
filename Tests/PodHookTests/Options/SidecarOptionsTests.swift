import AdmissionReview
import Coordination
import JSON
import RedisClient
import ServiceKit
import Testing

@testable import PodHook

@Suite struct SidecarOptionsTests {
  @Test func theDefaults() throws {
    let read = try SidecarCommand.read(["demo/a/b", "token"])
    #expect(read.faults == [])
    let configuration = read.configuration
    #expect(configuration.key == NamespacedKey(namespace: "demo", key: "a/b"))
    #expect(configuration.token == Token("token"))
    #expect(read.terms.expiration == .seconds(60) && read.terms.fenceMargin == .seconds(3))
    #expect(configuration.fence == .restartAll && configuration.isGated)
    #expect(configuration.gracePeriod == .seconds(10) && read.terms.releaseDelay == .zero)
    #expect(
      configuration.holder == Holder(pod: "app-0", podUID: "uid-0", node: "node-1", since: 5))
    #expect(read.address == .tcp(host: "", port: 65531))
  }

  @Test(arguments: [
    (["--expiration-seconds", "2"], 0), (["--expiration-seconds", "6"], 2),
    (["--fence-margin-seconds", "7"], 7), (["--fence-margin-seconds", "21"], 20),
    (["--fence-margin-seconds", "0"], 0),
  ])
  func theMarginIsAThirdOfTheExpirationAtMost(arguments: [String], margin: Int) throws {
    let read = try SidecarCommand.read(["demo/k", "token"] + arguments)
    #expect(read.faults == [] && read.terms.fenceMargin == .seconds(margin))
  }

  @Test(arguments: [
    ("expiration-seconds", "0", "1 to 31536000"), ("expiration-seconds", "31536001", "31536000"),
    ("fence-margin-seconds", "-1", "0 to 31536000"), ("fence", "auto", "restart-all, liveness"),
    ("termination-grace-period-seconds", "x", "0 to 31536000"),
    ("release-delay-seconds", "3601", "0 to 3600"), ("probe-address", "65531", "unix:@name"),
  ])
  func aWrongOptionIsNamed(option: String, value: String, allowed: String) throws {
    let faults = try SidecarCommand.read(["demo/k", "token", "--\(option)=\(value)"]).faults
    #expect(faults.map(\.option) == ["--" + option])
    #expect(faults.first?.value == value && faults.first?.allowed.contains(allowed) == true)
    let twin = String(option.uppercased().map { $0 == "-" ? "_" : $0 })
    let again = try SidecarCommand.read(
      ["demo/k", "token"], SidecarCommand.pod.merging([twin: value]) { $1 }
    ).faults
    #expect(again.map(\.option) == ["--" + option] && again.first?.variable == twin)
  }

  @Test(arguments: ["demo", "/k", "demo/", "", "/"])
  func aKeyNeedsANamespace(key: String) throws {
    let faults = try SidecarCommand.read([key, "token"]).faults
    #expect(faults.count == 1 && faults.first?.option?.contains("UNLOCK_KEY") == true)
    #expect(faults.first?.allowed == "<namespace>/<key>")
  }

  /// It would not survive in the store's records. It is a secret, so it is not shown.
  @Test(arguments: ["", "to ken", "token\n"])
  func aTokenIsOneWord(token: String) throws {
    let faults = try SidecarCommand.read(["demo/k", token]).faults
    #expect(faults.count == 1 && faults.first?.option?.contains("UNLOCK_VALUE") == true)
    #expect(faults.first?.value == nil)
  }

  @Test(arguments: [[:], ["POD_UID": ""], ["POD_UID": "a b"]])
  func withoutAPodThereIsNoLock(environment: [String: String]) throws {
    let faults = try SidecarCommand.read(["demo/k", "token"], environment).faults
    #expect(faults.count == 1 && faults.first?.variable == "POD_UID")
  }

  @Test func allFaultsAreReportedTogether() throws {
    let faults = try SidecarCommand.read(
      ["k", "", "--expiration-seconds", "0", "--lock-mode", "x"], [:]
    ).faults
    #expect(faults.count == 5)
  }

  /// What the webhook writes, the sidecar reads: both ends of one contract.
  @Test(arguments: [
    ("team a/b~c", true, Fence.restartAll, false), ("k$(POD_NAME)", true, .liveness, true),
    ("k", false, .none, false), ("-x", true, .none, true),
  ])
  func readsWhatTheWebhookWrites(
    key: String, isGated: Bool, fence: Fence, isHostNetwork: Bool
  ) async throws {
    var template = Admitting.template
    template.isGated = isGated
    template.fence = fence
    template.storeArguments = ["--lock-mode", "redlock", "--redis-addresses", "a:1,b:2"]
    let pod = Pods.pod(
      key: key, expiration: "90",
      spec: ["hostNetwork": .bool(isHostNetwork), "terminationGracePeriodSeconds": 77],
      variant: "blue")
    let admitted = try await Admitting(
      template, variant: "blue", releaseDelay: .seconds(2)
    ).admit(pod)
    let arguments = (admitted.sidecar["args"]?.array ?? []).compactMap {
      $0.string?.replacing("$$", with: "$")
    }
    #expect(arguments.first == "sidecar")
    let read = try SidecarCommand.read(Array(arguments.dropFirst()))
    #expect(read.faults == [])
    let configuration = read.configuration
    #expect(configuration.key == NamespacedKey(namespace: "demo", key: key))
    #expect(configuration.token == admitted.token && configuration.isGated == isGated)
    #expect(read.terms.expiration == .seconds(90) && read.terms.fenceMargin == .seconds(5))
    #expect(configuration.fence == fence && configuration.gracePeriod == .seconds(77))
    #expect(read.terms.releaseDelay == .seconds(2))
    let id = admitted.token.publicID
    #expect(
      read.address
        == (isHostNetwork
          ? .abstract(name: "exactly-one-pod-sidecar-blue-\(id)")
          : .tcp(host: "", port: 65531)))
    #expect(read.store.redis.addresses.map(\.port) == [1, 2])
  }
}
