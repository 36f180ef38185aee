import ServiceKit
import Testing

@Suite struct OTLPConfigurationTests {
  private func read(_ environment: [String: String]) throws -> OTLPConfiguration? {
    var reader = OptionReader(environment: environment)
    let configuration = OTLPConfiguration(reader: &reader, serviceName: "hook")
    try reader.finish()
    return configuration
  }

  @Test(arguments: [
    [:], ["OTEL_EXPORTER_OTLP_ENDPOINT": ""],
    ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_SDK_DISABLED": "TRUE"],
    ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_TRACES_EXPORTER": "none"],
  ])
  func isOffUnlessConfigured(environment: [String: String]) throws {
    #expect(try read(environment) == nil)
  }

  @Test func addsThePathToTheSharedEndpointOnly() throws {
    let shared = try read(["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"])
    #expect(shared?.endpoint == "http://c:4318/v1/traces")
    let slash = try read(["OTEL_EXPORTER_OTLP_ENDPOINT": "https://c/otlp/"])
    #expect(slash?.endpoint == "https://c/otlp/v1/traces")
    let own = try read([
      "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318",
      "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t:1/x",
    ])
    #expect(own?.endpoint == "http://t:1/x")
  }

  @Test func readsWhoSendsAndHow() throws {
    let configuration = try #require(
      try read([
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318",
        "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20abc, x=1",
        "OTEL_RESOURCE_ATTRIBUTES": "service.name=other,k8s.pod.name=p%2C1",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "250",
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.25",
      ]))
    #expect(configuration.headers.map(\.name) == ["authorization", "x"])
    #expect(configuration.headers.first?.value.reveal == "Bearer abc")
    #expect(configuration.resource.map(\.name) == ["service.name", "k8s.pod.name"])
    #expect(configuration.resource.map(\.value) == ["other", "p,1"])
    #expect(configuration.timeout == .milliseconds(250))
    #expect(configuration.sampler == TraceSampler(.parentRatio, ratio: 0.25))
    #expect(!"\(configuration)".contains("abc"))
  }

  @Test func theServiceNameVariableWins() throws {
    let configuration = try read([
      "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_SERVICE_NAME": "mine",
      "OTEL_RESOURCE_ATTRIBUTES": "service.name=other",
    ])
    #expect(configuration?.resource.map(\.value) == ["mine"])
    #expect(try read(["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"])?.resource[0].value == "hook")
  }

  @Test func reportsWhatCannotBeUsedWithoutSecrets() {
    let error = #expect(throws: UsageError.self) {
      try read([
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_EXPORTER_OTLP_HEADERS": "hunter2",
        "OTEL_TRACES_SAMPLER": "sometimes", "OTEL_TRACES_SAMPLER_ARG": "2",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "1s",
      ])
    }
    #expect(error?.faults.count == 4)
    #expect(error?.description.contains("hunter2") == false)
    #expect(
      error?.description.contains(
        "OTEL_TRACES_SAMPLER_ARG: '2' is not allowed; allowed: a number from 0 to 1") == true)
    #expect(throws: UsageError.self) {
      try read(["OTEL_EXPORTER_OTLP_ENDPOINT": "http://me:secret@c:4318"])
    }
    #expect(throws: UsageError.self) { try read(["OTEL_EXPORTER_OTLP_ENDPOINT": "c:4317"]) }
  }
}
