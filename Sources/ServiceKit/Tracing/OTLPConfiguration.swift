/// Where traces go, from the environment variables of OpenTelemetry.
///
/// | variable | meaning |
/// | --- | --- |
/// | `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` | where to POST, as it is |
/// | `OTEL_EXPORTER_OTLP_ENDPOINT` | the same without `/v1/traces` |
/// | `OTEL_EXPORTER_OTLP_TRACES_HEADERS`, `OTEL_EXPORTER_OTLP_HEADERS` | `key=value,…`, percent-encoded; secret |
/// | `OTEL_EXPORTER_OTLP_TRACES_TIMEOUT`, `OTEL_EXPORTER_OTLP_TIMEOUT` | milliseconds, 10000 |
/// | `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES` | who sends: `key=value,…` |
/// | `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG` | see ``TraceSampler/Kind``; 0 to 1 |
/// | `OTEL_SDK_DISABLED=true`, `OTEL_TRACES_EXPORTER=none` | no traces |
///
/// See https://opentelemetry.io/docs/specs/otel/protocol/exporter/.
package struct OTLPConfiguration: Sendable {
  /// The whole URL, `http` or `https`.
  package var endpoint: String
  package var headers: [(name: String, value: Secret)] = []
  /// `service.name` among them.
  package var resource: [(name: String, value: String)] = []
  package var sampler = TraceSampler(.parentAlwaysOn)

  /// For one request, its answer included.
  package var timeout: Duration = .seconds(10)
  /// The most spans that wait; further ones are dropped.
  package var queueCapacity = 2048
  /// The most spans of one request.
  package var batchSize = 512
  /// How long a span waits for others.
  package var batchDelay: Duration = .seconds(1)
  /// How often a request is tried again that may succeed later.
  package var retries = 3
  /// Before the first retry, doubled for each further one; `Retry-After` may make it longer.
  package var retryDelay: Duration = .seconds(1)
  /// The longest pause that `Retry-After` may ask for.
  package var longestRetryDelay: Duration = .seconds(30)
  /// For sending what is left at shutdown.
  package var flushTimeout: Duration = .seconds(3)

  package init(endpoint: String, serviceName: String) {
    self.endpoint = endpoint
    resource = [("service.name", serviceName)]
  }

  /// Reads the environment; `nil` if no endpoint is set: then there are no traces.
  ///
  /// - Parameters:
  ///   - reader: notes what cannot be used.
  ///   - serviceName: the name if the environment has none.
  package init?(reader: inout OptionReader, serviceName: String) {
    guard reader.variable("OTEL_SDK_DISABLED")?.lowercased() != "true",
      reader.variable("OTEL_TRACES_EXPORTER") != "none",
      let endpoint = Self.endpoint(&reader)
    else { return nil }
    self.init(endpoint: endpoint, serviceName: serviceName)
    headers = reader.pairs("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")
      .map { ($0.name, Secret($0.value)) }
    let attributes = reader.pairs("OTEL_RESOURCE_ATTRIBUTES")
    let name = reader.variable("OTEL_SERVICE_NAME")
    if let name { resource = [("service.name", name)] }
    for attribute in attributes {
      if attribute.name != "service.name" {
        resource.append(attribute)
      } else if name == nil {
        resource[0].value = attribute.value
      }
    }
    sampler = Self.sampler(&reader)
    timeout = .milliseconds(
      reader.parse(
        "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT",
        allowed: "milliseconds from 1 to 600000"
      ) { Int($0).flatMap { (1...600_000).contains($0) ? $0 : nil } } ?? 10_000)
  }

  private static func endpoint(_ reader: inout OptionReader) -> String? {
    if let whole = reader.variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
      return url(whole, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &reader)
    }
    guard let base = reader.variable("OTEL_EXPORTER_OTLP_ENDPOINT"),
      let valid = url(base, "OTEL_EXPORTER_OTLP_ENDPOINT", &reader)
    else { return nil }
    return valid + (valid.hasSuffix("/") ? "v1/traces" : "/v1/traces")
  }

  private static func url(
    _ text: String, _ variable: String, _ reader: inout OptionReader
  ) -> String? {
    let lower = text.lowercased()
    for scheme in ["http://", "https://"] where lower.hasPrefix(scheme) {
      let rest = text.dropFirst(scheme.count)
      // Credentials in a URL would reach logs.
      if let host = rest.split(separator: "/", maxSplits: 1).first, !host.hasPrefix(":"),
        !host.contains("@"), !rest.contains(where: \.isWhitespace)
      {
        return text
      }
    }
    // Not the value: it may hold credentials.
    reader.rejectVariable(
      variable, value: nil, allowed: "an http:// or https:// URL without user and password")
    return nil
  }

  private static func sampler(_ reader: inout OptionReader) -> TraceSampler {
    let kind = reader.parse(
      "OTEL_TRACES_SAMPLER",
      allowed: TraceSampler.Kind.allCases.map(\.rawValue).joined(separator: ", ")
    ) { TraceSampler.Kind(rawValue: $0) }
    let ratio = reader.parse("OTEL_TRACES_SAMPLER_ARG", allowed: "a number from 0 to 1") {
      Double($0).flatMap { (0...1).contains($0) ? $0 : nil }
    }
    return TraceSampler(kind ?? .parentAlwaysOn, ratio: ratio ?? 1)
  }
}
