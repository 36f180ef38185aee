import Foundation
import Logging
import RedisClient
import ServiceKit
import Testing

@testable import PodHook

@Suite struct StoreOptionsTests {
  /// What the webhook passes on must lead the sidecar to the same store.
  @Test(arguments: [
    ["--redis-addresses", "a,b:7000, c:1"],
    ["--redis-addresses", "rediss://a/3,redis://b:1/2,[::1]:5"],
    ["--key-prefix", "team:"], ["--key-prefix=-odd"], ["--redis-timeout", "1500ms"],
    ["--lock-mode", "memory"],
  ])
  func theSidecarsArgumentsReadBackAsTheSameStore(arguments: [String]) throws {
    let webhook = try WebhookCommand.read(arguments)
    #expect(webhook.faults == [])
    let sidecar = try SidecarCommand.read(
      ["demo/k", "token"] + webhook.template.storeArguments)
    #expect(sidecar.faults == [])
    #expect(sidecar.store.mode == webhook.store.mode)
    #expect(sidecar.store.keyPrefix == webhook.store.keyPrefix)
    #expect(sidecar.store.redis.timeout == webhook.store.redis.timeout)
    if webhook.store.mode == .redlock {
      #expect(sidecar.store.redis.addresses == webhook.store.redis.addresses)
    }
  }

  @Test(arguments: [
    "redis://user:hunter2@a:1", "rediss://:hunter2@a", "a:1,redis://:hunter2@b:2",
    "user:hunter2@a:1", "redis://:hun,ter2@a", "redis://:hunter2",
  ])
  func credentialsInAddressesAreRefusedAndNotRepeated(addresses: String) throws {
    for (arguments, environment) in [
      (["--redis-addresses", addresses], [:]), ([], ["REDIS_ADDRESSES": addresses]),
    ] as [([String], [String: String])] {
      let faults = try WebhookCommand.read(arguments, environment).faults
      #expect(faults.count == 1 && faults.first?.option == "--redis-addresses")
      for fault in faults {
        #expect(!fault.description.contains("hunter2"))
        #expect(!fault.description.contains("ter2"))
      }
    }
  }

  @Test func secretsComeFromVariablesAndFilesAndStayOutOfArguments() throws {
    let read = try WebhookCommand.read(
      ["--redis-addresses", "a:1"], ["REDIS_USERNAME": "me", "REDIS_PASSWORD": "hunter2"])
    #expect(read.faults == [])
    #expect(
      read.store.redis.access.username?.reveal == "me"
        && read.store.redis.access.password?.reveal == "hunter2")
    #expect(!"\(read.template) \(read.store)".contains("hunter2"))
  }

  @Test func aMissingPasswordFileIsNamed() throws {
    let faults = try WebhookCommand.read(["--redis-password-file", "/nowhere/p"]).faults
    #expect(faults.map(\.option) == ["--redis-password-file"])
    #expect(faults.first?.value == "/nowhere/p")
  }

  @Test func aMountedSecretMayLackAnyFile() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let arguments = ["--redis-credentials-directory", folder.path()]
    let empty = try WebhookCommand.read(arguments)
    #expect(empty.faults == [] && empty.store.redis.access.password == nil)
    #expect(empty.store.redis.access.authorityFile == nil)
    for name in ["username", "password", "ca.crt"] {
      try Data("\(name) text\n".utf8).write(to: folder.appending(path: name))
    }
    let full = try WebhookCommand.read(arguments).store.redis.access
    #expect(full.username?.reveal == "username text" && full.password?.reveal == "password text")
    #expect(full.authorityFile?.hasSuffix("/ca.crt") == true)
    #expect(full.keyFile == nil)
  }

  @Test(arguments: [
    ("127.0.0.1:1", true), ("localhost", true), ("[::1]:1", true), ("127.9.9.9", true),
    ("a:1,localhost:2", true), ("a:1", false), ("10.127.0.1", false),
  ])
  func addressesThatSidecarsCannotReachAreWarnedOf(addresses: String, isWarned: Bool) throws {
    let logs = LogCapture()
    let store = try WebhookCommand.read(["--redis-addresses", addresses]).store
    store.warn(Logger(label: "test") { _ in logs.handler })
    #expect(logs.lines.contains { $0.hasPrefix("warning: store addresses") } == isWarned)
  }

  @Test func aStoreInMemoryIsWarnedOf() throws {
    let logs = LogCapture()
    let store = try WebhookCommand.read(["--lock-mode", "memory"]).store
    store.warn(Logger(label: "test") { _ in logs.handler })
    #expect(logs.lines.count == 1 && logs.lines[0].contains("this process only"))
    #expect(store.sidecarAccess.ports == [])
  }

  @Test func portsAreThoseOfAllMembersOnce() throws {
    let read = try WebhookCommand.read(["--redis-addresses", "a:7,b:6,c:7,d"])
    #expect(read.template.storePorts == [6, 7, 6379])
  }
}
