package import ArgumentParser
package import ServiceKit

/// The options of `webhook`, apart from the store's and the sidecar's.
package struct WebhookOptions: ParsableArguments {
  @Option(help: "The address to serve admission on (default: 0.0.0.0).")
  package var host: String?

  @Option(help: "The port to serve admission on (default: 9443).")
  package var port: String?

  @Option(
    name: .customLong("certDir"),
    help: "Where tls.crt and tls.key are (default: /var/k8s-webhook-server/serving-certs).")
  package var certDir: String?

  @Option(help: "Where /metrics is served (default: 0.0.0.0:8080).")
  package var metricsBindAddress: String?

  @Flag(inversion: .prefixedNo, help: "Serve /metrics over TLS too (default: no).")
  package var metricsSecure: Bool?

  @Option(help: "Where /healthz and /readyz are served (default: 0.0.0.0:8081).")
  package var healthProbeBindAddress: String?

  @Flag(
    name: .customLong("enable-http2"), inversion: .prefixedNo,
    help: "Also speak HTTP/2 (default: no).")
  package var enableHTTP2: Bool?

  @Option(
    name: .customLong("client-ca-file"),
    help: "Ask the API server for a certificate that one of these authorities signed.")
  package var clientCAFile: String?

  @Option(help: "Seconds that a claim waits for its sidecar (default: 120).")
  package var claimSeconds: String?

  @Option(help: "How long to serve on after SIGTERM, so that no caller is surprised (default: 3s).")
  package var lameduck: String?

  package init() {}

  package func resolve(_ reader: inout OptionReader) -> WebhookConfiguration {
    WebhookConfiguration(
      host: reader.string("host", flag: host, default: "0.0.0.0"),
      port: reader.integer("port", flag: port, default: 9443, in: 0...65535),
      certificateDirectory: reader.string(
        "certDir", flag: certDir, default: "/var/k8s-webhook-server/serving-certs"),
      metricsAddress: reader.address(
        "metrics-bind-address", flag: metricsBindAddress,
        default: .tcp(host: "0.0.0.0", port: 8080)),
      isMetricsSecure: reader.bool("metrics-secure", flag: metricsSecure, default: false),
      probeAddress: reader.address(
        "health-probe-bind-address", flag: healthProbeBindAddress,
        default: .tcp(host: "0.0.0.0", port: 8081)),
      isHTTP2Enabled: reader.bool("enable-http2", flag: enableHTTP2, default: false),
      clientCAFile: reader.string("client-ca-file", flag: clientCAFile),
      claimTime: .seconds(
        reader.integer("claim-seconds", flag: claimSeconds, default: 120, in: 1...3600)),
      lameDuck: reader.duration(
        "lameduck", flag: lameduck, default: .seconds(3), in: .zero...(.seconds(300))))
  }
}

/// How the webhook serves.
package struct WebhookConfiguration: Sendable {
  var host: String
  var port: Int
  var certificateDirectory: String
  var metricsAddress: ListenAddress
  var isMetricsSecure: Bool
  var probeAddress: ListenAddress
  var isHTTP2Enabled: Bool
  var clientCAFile: String?
  package var claimTime: Duration
  var lameDuck: Duration
}
