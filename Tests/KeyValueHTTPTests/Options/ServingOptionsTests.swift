import ArgumentParser
import ObjectStore
import ServiceKit
import Testing

@testable import KeyValueHTTP

@Suite struct ServingOptionsTests {
  private struct Command: ParsableCommand {
    @OptionGroup var serving: ServingOptions
    @OptionGroup var store: StoreOptions
  }

  private func read(
    _ arguments: String..., environment: [String: String] = [:]
  ) throws -> KeyValueConfiguration {
    let command = try Command.parse(arguments)
    var reader = OptionReader(environment: environment)
    let configuration = command.serving.resolve(&reader, store: command.store.resolve(&reader))
    try reader.finish()
    return configuration
  }

  @Test func itServesThisMachineFromADirectoryByDefault() throws {
    let configuration = try read()
    #expect("\(configuration.address)" == "127.0.0.1:8080")
    #expect(configuration.store.place == .directory("./data"))
    #expect(configuration.gracePeriod == .seconds(10))
    #expect(configuration.lameDuck == .seconds(1))
    #expect(configuration.maximumValueBytes == 5 << 30)
    #expect(configuration.keepsAlive)
  }

  @Test func everyOptionHasATwinInTheEnvironment() throws {
    let configuration = try read(environment: [
      "ADDRESS": "0.0.0.0:80", "ALLOW_ANONYMOUS": "true", "STORE": "file:///srv/values",
      "TERMINATION_GRACE_PERIOD": "1m30s", "LAMEDUCK": "500ms", "HTTP_KEEPALIVE": "false",
      "MAX_VALUE_BYTES": "64MiB", "IDLE_TIMEOUT": "5s", "MONITOR_ADDRESS": ":9090",
      "CORS_ORIGINS": "https://a.example, https://b.example", "ACCESS_LOG": "1",
    ])
    #expect("\(configuration.address)" == "0.0.0.0:80")
    #expect(configuration.store.place == .directory("/srv/values"))
    #expect(configuration.gracePeriod == .seconds(90))
    #expect(configuration.lameDuck == .milliseconds(500))
    #expect(!configuration.keepsAlive)
    #expect(configuration.maximumValueBytes == 64 << 20)
    #expect(configuration.idleTimeout == .seconds(5))
    #expect("\(configuration.monitorAddress)" == ":9090")
    #expect(configuration.crossOrigin.origins == ["https://a.example", "https://b.example"])
    #expect(configuration.isEveryRequestLogged)
  }

  @Test func stores() throws {
    #expect(try read("--store", "memory:").store.place == .memory)
    #expect(try read("--store", "/srv").store.place == .directory("/srv"))
    #expect(try read("--store", "./x").store.place == .directory("./x"))
    for store in ["file://relative", "ftp://x", "values", ""] {
      #expect(throws: UsageError.self, "\(store)") { try read("--store", store) }
    }
  }

  @Test func buckets() throws {
    #expect(try read("--store", "s3://values").store.place == .bucket("values"))
    #expect(try read(environment: ["S3_BUCKET": "values"]).store.place == .bucket("values"))
    // The more special word wins.
    let both = ["S3_BUCKET": "values", "STORE": "memory:"]
    #expect(try read(environment: both).store.place == .memory)
    let configured = try read(
      "--store", "s3://values/", "--part-memory", "8MiB",
      environment: ["S3_ENDPOINT_URL": "http://127.0.0.1:9000", "AWS_REGION": "eu-west-1"])
    #expect(configured.store.s3?.bucket == "values")
    #expect(configured.store.s3?.endpoint == "http://127.0.0.1:9000")
    #expect(configured.store.s3?.region == "eu-west-1")
    #expect(configured.store.s3?.partMemory == 8 << 20)
    for store in ["s3://", "s3://a/b", "s3:///a", "s3://a b"] {
      #expect(throws: UsageError.self, "\(store)") { try read("--store", store) }
    }
  }

  @Test(arguments: [
    "0.0.0.0:8080", ":8080", "10.0.0.1:80", "[::]:80", "example.com:80", "127.example.com:80",
  ])
  func otherMachinesNeedARuleOrAWord(_ address: String) throws {
    #expect(throws: UsageError.self) { try read("--address", address) }
    _ = try read("--address", address, "--allow-anonymous")
    _ = try read("--address", address, "--tokens-file", "/etc/tokens.json")
    _ = try read("--address", address, "--trust-header", "x-user")
  }

  @Test(arguments: ["127.0.0.1:0", "localhost:1", "[::1]:1", "127.1.2.3:1", "unix:/tmp/x"])
  func thisMachineNeedsNone(_ address: String) throws {
    #expect("\(try read("--address", address).address)" == address)
  }

  @Test func allFaultsAreToldTogether() {
    #expect {
      try read(
        "--address", "x", "--store", "y", "--lameduck", "z", "--max-value-bytes", "0",
        "--trust-header", "a b", "--cors-origins", "example.com", "--max-connections", "none")
    } throws: { error in
      (error as? UsageError)?.faults.count == 7
    }
  }

  @Test(arguments: [
    ("1", 1), ("512", 512), ("1KiB", 1024), ("64MiB", 64 << 20), ("5Gi", 5 << 30), ("1T", 1 << 40),
    ("10B", 10),
  ])
  func sizesAreReadAsPeopleWriteThem(_ text: String, _ bytes: Int) {
    #expect(ByteCount.parse(text) == bytes)
  }

  @Test(arguments: ["", "B", "-1", "1.5GiB", "5GB", "5 GiB", "99999999999TiB"])
  func otherSizesAreNone(_ text: String) { #expect(ByteCount.parse(text) == nil) }
}
