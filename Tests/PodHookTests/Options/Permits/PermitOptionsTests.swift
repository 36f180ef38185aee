import Coordination
import RedisClient
import ServiceKit
import Testing

@testable import PodHook

@Suite struct PermitOptionsTests {
  @Test func theWebhooksDefaults() throws {
    let read = try PermitWebhookCommand.read([])
    #expect(read.faults == [])
    #expect(read.webhook.claimTime == .seconds(120) && read.webhook.port == 9443)
    #expect(read.heartbeatInterval == .seconds(30) && read.queue.staleAfter == .seconds(120))
    #expect(read.template.probePort == 65530 && read.template.fence == .restartAll)
    #expect(read.queue.mode == .redis && read.store.mode == .redlock)
    #expect(read.queue.address.host == "127.0.0.1" && read.queue.address.port == 6379)
    #expect(
      read.template.storeArguments
        == [
          "--lock-mode", "redlock", "--redis-addresses", "127.0.0.1:6379", "--queue-mode",
          "redis", "--queue-redis-address", "127.0.0.1:6379",
        ])
    #expect(read.template.storePorts == [6379])
  }

  @Test func theSidecarsDefaults() throws {
    let read = try PermitSidecarCommand.read(["demo/a/b", "token"])
    #expect(read.faults == [])
    #expect(read.configuration.key == NamespacedKey(namespace: "demo", key: "a/b"))
    #expect(read.configuration.token == Token("token"))
    #expect(
      read.terms
        == PermitTerms(
          length: 1, lockTime: .seconds(60), heartbeatInterval: .seconds(30)))
    #expect(read.queue.staleAfter == .seconds(120))
    #expect(read.configuration.fence == .restartAll && read.configuration.isGated)
    #expect(read.configuration.gracePeriod == .seconds(10))
    #expect(
      read.configuration.holder
        == Holder(pod: "app-0", podUID: "uid-0", node: "node-1", since: 5))
    #expect(read.address == .tcp(host: "", port: 65530))
  }

  static let wrongForBoth = [
    Wrong("heartbeat-interval-seconds", "0", "1 to 3600"),
    Wrong("heartbeat-interval-seconds", "30s", "a whole number"),
    Wrong("stale-threshold-seconds", "0", "1 to 86400"),
    Wrong("stale-threshold-seconds", "86401", "1 to 86400"),
    Wrong("stale-threshold-seconds", "60", "more than twice --heartbeat-interval-seconds"),
    Wrong("queue-mode", "list", "redis"), Wrong("queue-mode", "Redis", "redis"),
    Wrong("queue-redis-address", "a:1,b:1", "one server"),
    Wrong("queue-redis-address", "a:1,a:1", "different servers"),
    Wrong("queue-redis-address", "a:0", "host:port"),
    Wrong("queue-redis-address", "http:1:2", "host:port"),
    Wrong("lock-mode", "zookeeper", "redlock"),
  ]

  @Test(arguments: Wrong.batches(wrongForBoth))
  func wrongFlagsAreNamed(_ batch: [Wrong]) throws {
    let flags = batch.map(\.description)
    Wrong.expect(try PermitWebhookCommand.read(flags).faults, batch)
    Wrong.expect(try PermitSidecarCommand.read(["demo/k", "t"] + flags).faults, batch)
  }

  @Test(arguments: Wrong.batches(wrongForBoth))
  func soAreWrongVariables(_ batch: [Wrong]) throws {
    let variables = Wrong.variables(batch)
    Wrong.expect(
      try PermitWebhookCommand.read([], variables).faults, batch, areVariables: true)
    let pod = SidecarCommand.pod.merging(variables) { $1 }
    Wrong.expect(
      try PermitSidecarCommand.read(["demo/k", "t"], pod).faults, batch, areVariables: true)
  }

  @Test(
    arguments: Wrong.batches([
      Wrong("length", "0", "1 to 100000"), Wrong("length", "100001", "1 to 100000"),
      Wrong("lock-seconds", "0", "1 to 3600"), Wrong("lock-seconds", "3601", "1 to 3600"),
      Wrong("fence", "auto", "restart-all, liveness"),
    ]))
  func whatOnlyTheSidecarIsToldIsCheckedToo(_ batch: [Wrong]) throws {
    let flags = batch.map(\.description)
    Wrong.expect(try PermitSidecarCommand.read(["demo/k", "t"] + flags).faults, batch)
  }

  @Test(arguments: [("30", "61", true), ("30", "60", false), ("1", "3", true), ("1", "2", false)])
  func oneHeartbeatMayGetLost(interval: String, stale: String, isRight: Bool) throws {
    let arguments = [
      "--heartbeat-interval-seconds", interval, "--stale-threshold-seconds", stale,
    ]
    for faults in [
      try PermitWebhookCommand.read(arguments).faults,
      try PermitSidecarCommand.read(["demo/k", "t"] + arguments).faults,
    ] {
      #expect(faults.isEmpty == isRight)
      guard let fault = faults.first else { continue }
      #expect(
        fault.description
          == "--stale-threshold-seconds: '\(stale)' is not allowed; allowed: more than twice "
          + "--heartbeat-interval-seconds, which is \(interval)")
    }
  }

  /// The default threshold counts as if it had been written.
  @Test func aLongIntervalNeedsALongerThreshold() throws {
    let faults = try PermitWebhookCommand.read(["--heartbeat-interval-seconds", "60"]).faults
    #expect(faults.map(\.option) == ["--stale-threshold-seconds"])
    #expect(faults.first?.value == "120")
  }

  @Test(arguments: ["demo", "/k", "demo/", ""])
  func aKeyNeedsANamespace(key: String) throws {
    let faults = try PermitSidecarCommand.read([key, "token"]).faults
    #expect(faults.count == 1 && faults.first?.option == "QUEUE_NAME")
    #expect(faults.first?.allowed == "<namespace>/<key>")
    let inspection = try PermitInspectionCommand.read([key])
    #expect(inspection.faults.map(\.option) == ["KEY"] && inspection.key == nil)
  }

  @Test(arguments: ["", "to ken"])
  func aPermitIsOneWordAndNotShown(token: String) throws {
    let faults = try PermitSidecarCommand.read(["demo/k", token]).faults
    #expect(faults.count == 1 && faults.first?.option == "QUEUE_VALUE")
    #expect(faults.first?.value == nil)
  }

  @Test func allFaultsAreReportedTogether() throws {
    let faults = try PermitSidecarCommand.read(
      ["k", "", "--length", "0", "--queue-mode", "x", "--lock-mode", "y"], [:]
    ).faults
    #expect(faults.count == 6)
  }

  @Test func inspectionTakesAKeyOrNone() throws {
    #expect(try PermitInspectionCommand.read([]).key == nil)
    let one = try PermitInspectionCommand.read(["demo/a/b", "--stale-threshold-seconds", "7"])
    #expect(one.key == NamespacedKey(namespace: "demo", key: "a/b") && one.faults == [])
    #expect(one.queue.staleAfter == .seconds(7))
  }
}
