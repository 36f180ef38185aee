import ArgumentParser
import NIOCore
import RedisClient
import ServiceKit
import Testing

@testable import RedisProxy

@Suite struct ProxyOptionsTests {
  private func read(
    _ arguments: [String], _ environment: [String: String] = [:]
  ) throws -> ProxyConfiguration {
    let options = try ProxyOptions.parse(arguments)
    var reader = OptionReader(environment: environment)
    let configuration = options.resolve(&reader)
    try reader.finish()
    return configuration
  }

  @Test func withoutOptionsEverythingHasADefault() throws {
    let configuration = try read([])
    #expect(configuration.localAddress.description == "127.0.0.1:16379")
    #expect(configuration.primary.map(\.description) == ["127.0.0.1:6379"])
    #expect(!configuration.splitsReads)
    #expect(configuration.addresses(.reader) == configuration.primary)
    #expect(configuration.connectTimeout == .seconds(10))
    #expect(configuration.readYourWrites == .zero)
    #expect(configuration.maximumLifetime == nil)
    #expect(configuration.credentials == nil)
  }

  @Test func theEnvironmentIsATwinOfTheCommandLine() throws {
    let configuration = try read(
      ["--connect-timeout", "2s"],
      [
        "CONNECT_TIMEOUT": "9s", "READER_ROUTING": "true", "READER_REMOTE_ADDRESS": "a:1,b:2",
        "REMOTE_PASSWORD": "secret", "MAX_LIFETIME": "1h",
      ])
    #expect(configuration.connectTimeout == .seconds(2))
    #expect(configuration.splitsReads)
    #expect(configuration.addresses(.reader).map(\.description) == ["a:1", "b:2"])
    #expect(configuration.maximumLifetime == .hours(1))
    #expect(configuration.credentials?.password == "secret")
    #expect(!"\(configuration)".contains("secret"))
  }

  @Test func theTopologyOfThisPodIsNear() throws {
    let configuration = try read([
      "--topology-aware-routing", "--topologies", "a=10.1.0.0/16,b=10.2.0.0/16,a=10.3.0.0/16",
      "--own-ip", "10.3.0.9",
    ])
    let near = configuration.nearRanges
    let contains = try ["10.1.0.1", "10.2.0.1", "10.3.0.1"].map { text in
      let address = try SocketAddress(ipAddress: text, port: 0)
      return near.contains { $0.contains(address) }
    }
    #expect(contains == [true, false, true])
  }

  @Test(arguments: [
    ["--remote-address", "redis://u:p@h/3"], ["--remote-address", "a b"],
    ["--jitter-percentage", "2"], ["--max-connections", "0"], ["--connect-timeout", "0s"],
    ["--topology-aware-routing"], ["--own-ip", "x"], ["--topologies", "a=b"],
    ["--remote-username", "u"], ["--remote-tls-ca-file", "f"],
    ["--remote-tls", "--remote-tls-key-file", "f"], ["--local-tls-client-ca-file", "f"],
  ])
  func whatCannotBeIsRefused(arguments: [String]) {
    #expect(throws: UsageError.self) { try read(arguments) }
  }
}
