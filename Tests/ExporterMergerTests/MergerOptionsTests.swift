import ArgumentParser
import ExporterMerger
import ServiceKit
import Testing

@Suite struct MergerOptionsTests {
  private func resolve(
    _ arguments: [String], _ environment: [String: String] = [:]
  ) throws -> MergerConfiguration {
    let options = try MergerOptions.parse(arguments)
    var reader = OptionReader(environment: environment)
    let configuration = options.resolve(&reader, environment: environment)
    try reader.finish()
    return configuration
  }

  @Test func hasDefaults() throws {
    let configuration = try resolve(["--url", "http://h/m"])
    #expect(configuration.port == 8080)
    #expect(configuration.sources.map(\.label) == ["http://h/m"])
    #expect(configuration.timeout == nil)
    #expect(configuration.maximumBodyBytes == 67_108_864)
    #expect(configuration.maximumTotalBytes == 268_435_456)
    #expect(configuration.sourceLabel == "merger_url")
    #expect(configuration.keepsAlive)
  }

  @Test func readsSourcesFromFlagsAndEnvironment() throws {
    let environment = ["MERGER_URLS": " http://a/ \n file:/b ", "MERGER_PORT": "9"]
    #expect(try resolve([], environment).sources.map(\.label) == ["http://a/", "file:/b"])
    #expect(try resolve([], environment).port == 9)
    let flags = ["--url", "http://c/ unix:/d", "--url", "http://e/", "--port", "7"]
    #expect(
      try resolve(flags, environment).sources.map(\.label)
        == ["http://c/", "unix:/d:/metrics", "http://e/"])
    #expect(try resolve(flags, environment).port == 7)
    // What Kubernetes says where a Service is named so.
    #expect(try resolve(flags.dropLast(2), ["MERGER_PORT": "tcp://10.0.0.1:80"]).port == 8080)
  }

  @Test func namesAllFaultsWithoutSecrets() throws {
    let error = #expect(throws: UsageError.self) {
      try resolve(
        ["--url", "ftp://me:secret@h/", "--timeout", "0", "--source-label", "a-b"],
        ["MERGER_PORT": "x"])
    }
    #expect(error?.faults.count == 4)
    #expect(error?.description.contains("secret") == false)
    #expect(throws: UsageError.self) { try resolve([]) }
    #expect(throws: UsageError.self) { try resolve([], ["MERGER_URLS": "http://a/ b"]) }
  }

  @Test func dropsTheSourceLabelIfToldSo() throws {
    #expect(try resolve(["--url", "http://h/", "--source-label", ""]).sourceLabel.isEmpty)
  }

  @Test(arguments: ["le", "quantile", "__name__"])
  func refusesLabelsThatSamplesNeedThemselves(label: String) {
    #expect(throws: UsageError.self) {
      try resolve(["--url", "http://h/", "--source-label", label])
    }
  }
}
