import AdmissionReview
import Coordination
import JSON
import Logging
import RedisClient
import ServiceKit
import Testing

@testable import PodHook

@Suite struct QueueOptionsTests {
  /// What the webhook passes on must lead the sidecar to the same stores.
  @Test(arguments: [
    ["--queue-redis-address", "q:7000"], ["--queue-redis-address", "rediss://q/3"],
    ["--queue-redis-address", "[::1]:5", "--redis-addresses", "a,b:1,c"],
    ["--key-prefix", "team:"], ["--redis-timeout", "1500ms"],
    ["--lock-mode", "memory", "--queue-redis-address", "q:1", "--redis-timeout", "2s"],
    ["--lock-mode", "etcd", "--etcd-addresses", "https://e:1,https://f:2", "--etcd-timeout", "2s"],
    ["--lock-mode", "etcd", "--redis-timeout", "2s", "--key-prefix", "team:"],
    ["--queue-mode", "memory", "--lock-mode", "memory"],
    ["--queue-mode", "etcd", "--lock-mode", "etcd", "--etcd-addresses", "e:1,f:2"],
    ["--queue-mode", "etcd", "--etcd-addresses", "e:1", "--etcd-timeout", "2s"],
  ])
  func theSidecarsArgumentsReadBackAsTheSameStores(arguments: [String]) throws {
    let webhook = try PermitWebhookCommand.read(arguments)
    #expect(webhook.faults == [])
    let sidecar = try PermitSidecarCommand.read(
      ["demo/k", "token"] + webhook.template.storeArguments)
    #expect(sidecar.faults == [])
    #expect(sidecar.store.mode == webhook.store.mode && sidecar.queue.mode == webhook.queue.mode)
    #expect(sidecar.store.keyPrefix == webhook.store.keyPrefix)
    #expect(sidecar.queue.store.keyPrefix == webhook.store.keyPrefix)
    if webhook.queue.mode == .redis {
      #expect(sidecar.queue.address == webhook.queue.address)
      #expect(sidecar.queue.store.redis.timeout == webhook.store.redis.timeout)
    }
    if webhook.store.mode == .redlock {
      #expect(sidecar.store.redis.addresses == webhook.store.redis.addresses)
    }
    if webhook.store.mode == .etcd || webhook.queue.mode == .etcd {
      #expect(sidecar.store.etcd.addresses == webhook.store.etcd.addresses)
      #expect(sidecar.store.etcd.timeout == webhook.store.etcd.timeout)
    }
  }

  @Test(arguments: [
    "redis://user:hunter2@q:1", "rediss://:hunter2@q", "user:hunter2@q:1", "redis://:hun,ter2@q",
    "redis://:hunter2",
  ])
  func credentialsInTheAddressAreRefusedAndNotRepeated(address: String) throws {
    for faults in [
      try PermitInspectionCommand.read(["--queue-redis-address", address]).faults,
      try PermitInspectionCommand.read([], ["QUEUE_REDIS_ADDRESS": address]).faults,
    ] {
      #expect(faults.count == 1 && faults.first?.option == "--queue-redis-address")
      for fault in faults {
        #expect(!fault.description.contains("hunter2") && !fault.description.contains("ter2"))
      }
    }
  }

  @Test func theFlagWinsOverTheVariable() throws {
    let variables = [
      "QUEUE_REDIS_ADDRESS": "env:1", "QUEUE_MODE": "memory", "STALE_THRESHOLD_SECONDS": "300",
      "HEARTBEAT_INTERVAL_SECONDS": "100",
    ]
    let read = try PermitWebhookCommand.read(["--queue-mode", "redis"], variables)
    #expect(read.faults == [])
    #expect(read.queue.mode == .redis && read.queue.address.host == "env")
    #expect(read.queue.staleAfter == .seconds(300) && read.heartbeatInterval == .seconds(100))
    let sidecar = try PermitSidecarCommand.read(
      ["demo/k", "t", "--queue-redis-address", "flag:2"],
      SidecarCommand.pod.merging(variables) { $1 })
    #expect(sidecar.queue.address.host == "flag" && sidecar.queue.mode == .memory)
    #expect(sidecar.terms.heartbeatInterval == .seconds(100))
  }

  /// One Secret with the credentials of both, mounted once.
  @Test func theQueuesServerIsLetInAsThoseOfTheLocksAre() throws {
    let read = try PermitWebhookCommand.read(
      ["--redis-addresses", "a:1", "--queue-redis-address", "q:2"],
      ["REDIS_USERNAME": "me", "REDIS_PASSWORD": "hunter2"])
    #expect(read.faults == [] && read.template.needsSecret)
    #expect(
      read.template.secretArguments
        == ["--redis-credentials-directory", "/var/run/secrets/hippocampus"])
    #expect(read.template.storePorts == [1, 2])
    #expect(read.queue.store.redis.access.password?.reveal == "hunter2")
    #expect(!"\(read.template) \(read.queue)".contains("hunter2"))
  }

  @Test func withLocksInEtcdTheSecretServesBoth() throws {
    let read = try PermitWebhookCommand.read(
      ["--lock-mode", "etcd", "--etcd-addresses", "e:3"], ["REDIS_PASSWORD": "hunter2"])
    #expect(read.faults == [] && read.template.needsSecret)
    let directory = "/var/run/secrets/hippocampus"
    #expect(
      read.template.secretArguments
        == [
          "--etcd-credentials-directory", directory, "--redis-credentials-directory", directory,
        ])
    #expect(read.template.storePorts == [3, 6379])
  }

  @Test(arguments: [("127.0.0.1:1", true), ("localhost", true), ("q:1", false)])
  func anAddressThatSidecarsCannotReachIsWarnedOf(address: String, isWarned: Bool) throws {
    let logs = LogCapture()
    let read = try PermitWebhookCommand.read(["--queue-redis-address", address])
    read.queue.warn(Logger(label: "test") { _ in logs.handler })
    #expect(logs.lines.contains { $0.hasPrefix("warning: store addresses") } == isWarned)
  }

  @Test func aQueueInMemoryIsWarnedOfAndHasNoPort() throws {
    let logs = LogCapture()
    let read = try PermitWebhookCommand.read(["--queue-mode", "memory", "--lock-mode", "memory"])
    read.queue.warn(Logger(label: "test") { _ in logs.handler })
    #expect(logs.lines.count == 1 && logs.lines[0].contains("this process only"))
    #expect(read.template.storePorts == [])
  }
}
