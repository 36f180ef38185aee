import ServiceKit
import Testing

@testable import PodHook

@Suite struct WebhookOptionsTests {
  static let wrong = [
    Wrong("port", "65536", "a whole number from 0 to 65535"), Wrong("port", "https", "0 to 65535"),
    Wrong("port", "-1", "0 to 65535"), Wrong("metrics-bind-address", "8080", "host:port"),
    Wrong("health-probe-bind-address", "::1:80", "[::1]:port"),
    Wrong("claim-seconds", "0", "1 to 3600"), Wrong("claim-seconds", "2m", "1 to 3600"),
    Wrong("lameduck", "3", "a duration such as 1m30s"), Wrong("lameduck", "301s", "0s to 5m"),
    Wrong("fence", "restartall", "auto, restart-all, liveness, none"),
    Wrong("sidecar-image", "an image", "the name of an image"),
    Wrong("sidecar-image-pull-policy", "always", "Always, IfNotPresent, Never"),
    Wrong("sidecar-position", "middle", "first, last"),
    Wrong("sidecar-probe-port", "0", "1 to 65535"),
    Wrong("sidecar-cpu-request", "10 m", "a resource quantity"),
    Wrong("sidecar-cpu-limit", "-1", "a resource quantity"),
    Wrong("sidecar-memory-request", "32MB", "a resource quantity"),
    Wrong("sidecar-memory-limit", "٣٢Mi", "a resource quantity"),
    Wrong("sidecar-secret", "My_Secret", "the name of a Secret"),
    Wrong("sidecar-secret", "a..b", "the name of a Secret"),
    Wrong("sidecar-secret", "-a", "the name of a Secret"),
    Wrong("release-delay-seconds", "3601", "0 to 3600"),
    Wrong("lock-mode", "zookeeper", "redlock, etcd, memory"),
    Wrong("redis-addresses", "a:1,,b:1", "separated by commas"),
    Wrong("redis-addresses", "a:1,a:1", "different servers"),
    Wrong("redis-timeout", "0s", "1ms to 30s"), Wrong("redis-timeout", "31s", "1ms to 30s"),
    Wrong("redis-credentials-directory", "/nowhere/at/all", "a directory that exists"),
    Wrong("variant", "Blue", "a DNS label of at most 20 characters"),
    Wrong("variant", "-blue", "a DNS label"), Wrong("variant", "blue.green", "a DNS label"),
    Wrong("variant", "a\u{301}", "a DNS label"), Wrong("variant", "ａ", "a DNS label"),
    Wrong("variant", String(repeating: "a", count: 21), "a DNS label"),
  ]

  @Test(arguments: Wrong.batches(wrong))
  func wrongFlagsAreNamedWithTheirValueAndWhatIsAllowed(_ batch: [Wrong]) throws {
    Wrong.expect(try WebhookCommand.read(batch.map(\.description)).faults, batch)
  }

  @Test(arguments: Wrong.batches(wrong))
  func soAreWrongVariables(_ batch: [Wrong]) throws {
    let faults = try WebhookCommand.read([], Wrong.variables(batch)).faults
    Wrong.expect(faults, batch, areVariables: true)
  }

  @Test func allFaultsAreReportedTogether() throws {
    let faults = try WebhookCommand.read(
      ["--port", "x", "--fence", "y", "--lock-mode", "z"],
      ["VARIANT": "V", "SIDECAR_PROBE_PORT": "0", "METRICS_SECURE": "perhaps"]
    ).faults
    #expect(
      Set(faults.compactMap(\.option))
        == [
          "--port", "--fence", "--lock-mode", "--variant", "--sidecar-probe-port",
          "--metrics-secure",
        ])
  }

  @Test func theDefaults() throws {
    let read = try WebhookCommand.read([])
    #expect(read.faults == [])
    #expect(read.webhook.host == "0.0.0.0" && read.webhook.port == 9443)
    #expect(read.webhook.certificateDirectory == "/var/k8s-webhook-server/serving-certs")
    #expect(read.webhook.metricsAddress == .tcp(host: "0.0.0.0", port: 8080))
    #expect(read.webhook.probeAddress == .tcp(host: "0.0.0.0", port: 8081))
    #expect(!read.webhook.isMetricsSecure && !read.webhook.isHTTP2Enabled)
    #expect(read.webhook.clientCAFile == nil)
    #expect(read.webhook.claimTime == .seconds(120))
    let template = read.template
    #expect(template.image == "default:1" && template.imagePullPolicy == nil)
    #expect(template.isGated && template.position == .first && template.fence == .restartAll)
    #expect(template.probePort == 65531 && template.secret == nil)
    #expect(template.cpuRequest == "10m" && template.cpuLimit == nil)
    #expect(template.memoryRequest == "32Mi" && template.memoryLimit == "32Mi")
    #expect(read.releaseDelay == .zero)
    #expect(
      template.storeArguments == ["--lock-mode", "redlock", "--redis-addresses", "127.0.0.1:6379"])
    #expect(template.storePorts == [6379])
    #expect(read.variant == nil)
  }

  @Test func theFlagWinsOverTheVariable() throws {
    let read = try WebhookCommand.read(
      ["--port", "1", "--no-enable-sidecar-containers"],
      [
        "PORT": "2", "CERT_DIR": "/c", "ENABLE_SIDECAR_CONTAINERS": "true", "VARIANT": "blue",
        "SIDECAR_CPU_REQUEST": "1", "SIDECAR_POSITION": "last", "FENCE": "none",
        "ENABLE_HTTP2": "true", "CLAIM_SECONDS": "30", "CLIENT_CA_FILE": "/ca", "HOST": "",
      ])
    #expect(read.faults == [])
    #expect(read.webhook.port == 1 && read.webhook.certificateDirectory == "/c")
    #expect(!read.template.isGated && read.template.cpuRequest == "1")
    #expect(read.template.position == .last && read.template.fence == .none)
    #expect(read.webhook.isHTTP2Enabled && read.webhook.claimTime == .seconds(30))
    #expect(read.webhook.clientCAFile == "/ca" && read.webhook.host == "0.0.0.0")
    #expect(read.variant == "blue")
  }

  @Test(arguments: [
    ("auto", Fence.restartAll), ("restart-all", .restartAll), ("liveness", .liveness),
    ("none", .none),
  ])
  func fences(text: String, fence: Fence) throws {
    #expect(try WebhookCommand.read(["--fence", text]).template.fence == fence)
  }

  @Test(arguments: ["0", "1", "10m", "0.5", "1.25", "500k", "64Mi", "1Gi", "1G"])
  func quantities(text: String) throws {
    let read = try WebhookCommand.read([
      "--sidecar-cpu-request", text, "--sidecar-cpu-limit", text,
    ])
    #expect(read.faults == [] && read.template.cpuLimit == text)
  }

  @Test func aRequestAboveItsLimitIsRefused() throws {
    let read = try WebhookCommand.read([
      "--sidecar-memory-request", "64Mi", "--sidecar-cpu-request", "1",
      "--sidecar-cpu-limit", "900m",
    ])
    #expect(
      read.faults.map(\.option) == ["--sidecar-memory-request", "--sidecar-cpu-request"])
    #expect(read.faults.first?.description.contains("--sidecar-memory-limit, 32Mi") == true)
  }

  @Test(arguments: ["a", "a1", "1", "blue-green", String(repeating: "a", count: 20)])
  func variants(text: String) throws {
    #expect(try WebhookCommand.read(["--variant", text]).variant == text)
  }
}
