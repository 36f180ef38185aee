// swift-tools-version: 6.2
import PackageDescription

/// Every target is built alike: Swift 6, warnings are errors, and imports say what they leak.
let settings: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioWebSocket = Target.Dependency.product(name: "NIOWebSocket", package: "swift-nio")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let coreMetrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let lifecycle = Target.Dependency.product(
  name: "ServiceLifecycle", package: "swift-service-lifecycle")
let arguments = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")
let tracing = Target.Dependency.product(name: "Tracing", package: "swift-distributed-tracing")
let serviceContext = Target.Dependency.product(
  name: "ServiceContextModule", package: "swift-service-context")
let certificateReloading = Target.Dependency.product(
  name: "NIOCertificateReloading", package: "swift-nio-extras")
let nioExtras = Target.Dependency.product(name: "NIOExtras", package: "swift-nio-extras")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let x509 = Target.Dependency.product(name: "X509", package: "swift-certificates")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let unixSignals = Target.Dependency.product(
  name: "UnixSignals", package: "swift-service-lifecycle")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let asn1 = Target.Dependency.product(name: "SwiftASN1", package: "swift-asn1")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTLS = Target.Dependency.product(name: "HummingbirdTLS", package: "hummingbird")
let grpcCore = Target.Dependency.product(name: "GRPCCore", package: "grpc-swift-2")
let grpcTransport = Target.Dependency.product(
  name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport")
let grpcProtobuf = Target.Dependency.product(name: "GRPCProtobuf", package: "grpc-swift-protobuf")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let hummingbirdHTTP2 = Target.Dependency.product(name: "HummingbirdHTTP2", package: "hummingbird")

func library(
  _ name: String, exclude: [String] = [], _ dependencies: [Target.Dependency]
) -> Target {
  .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

func executable(
  _ name: String, path: String? = nil, _ dependencies: [Target.Dependency]
) -> Target {
  .executableTarget(name: name, dependencies: dependencies, path: path, swiftSettings: settings)
}

func tests(
  _ name: String, resources: [Resource] = [], _ dependencies: [Target.Dependency]
) -> Target {
  .testTarget(
    name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}

let package = Package(
  name: "hippocampus",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "exactly-one-pod-hook", targets: ["exactly-one-pod-hook"]),
    .executable(name: "at-least-semaphore-pod-hook", targets: ["at-least-semaphore-pod-hook"]),
    .executable(name: "http-kvs", targets: ["http-kvs"]),
    .executable(name: "exporter-merger", targets: ["exporter-merger"]),
    .executable(name: "redis-proxy", targets: ["redis-proxy"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-nio", .upToNextMinor(from: "2.101.2")),
    .package(url: "https://github.com/apple/swift-nio-ssl", .upToNextMinor(from: "2.37.6")),
    .package(url: "https://github.com/apple/swift-nio-extras", .upToNextMinor(from: "1.35.2")),
    .package(url: "https://github.com/apple/swift-log", .upToNextMinor(from: "1.16.2")),
    .package(url: "https://github.com/apple/swift-metrics", .upToNextMinor(from: "2.13.0")),
    .package(url: "https://github.com/apple/swift-http-types", .upToNextMinor(from: "1.8.0")),
    .package(
      url: "https://github.com/apple/swift-distributed-tracing", .upToNextMinor(from: "1.7.3")),
    .package(url: "https://github.com/apple/swift-service-context", .upToNextMinor(from: "1.5.1")),
    .package(
      url: "https://github.com/apple/swift-argument-parser", .upToNextMinor(from: "1.8.2")),
    .package(url: "https://github.com/apple/swift-crypto", .upToNextMinor(from: "4.5.2")),
    .package(url: "https://github.com/apple/swift-certificates", .upToNextMinor(from: "1.21.1")),
    .package(url: "https://github.com/apple/swift-asn1", .upToNextMinor(from: "1.7.4")),
    .package(url: "https://github.com/apple/swift-system", .upToNextMinor(from: "1.8.1")),
    .package(
      url: "https://github.com/swift-server/swift-service-lifecycle",
      .upToNextMinor(from: "2.13.0")),
    .package(
      url: "https://github.com/swift-server/async-http-client", .upToNextMinor(from: "1.37.0")),
    .package(
      url: "https://github.com/hummingbird-project/hummingbird", .upToNextMinor(from: "2.28.1"),
      traits: []),
    .package(url: "https://github.com/grpc/grpc-swift-2", .upToNextMinor(from: "2.4.3")),
    .package(
      url: "https://github.com/grpc/grpc-swift-nio-transport", .upToNextMinor(from: "2.9.2")),
    .package(url: "https://github.com/grpc/grpc-swift-protobuf", .upToNextMinor(from: "2.4.1")),
    .package(url: "https://github.com/apple/swift-protobuf", .upToNextMinor(from: "1.39.0")),
    .package(
      url: "https://github.com/swiftlang/swift-subprocess", .upToNextMinor(from: "1.0.2"),
      traits: []),
    .package(url: "https://github.com/jpsim/Yams", .upToNextMinor(from: "6.2.2")),
  ],
  targets: [
    // Wire: values, parsers and encoders over bytes.
    library("JSON", []),
    library("URIEncoding", []),
    library("IPAddresses", []),
    library("WebSocketFrames", [nioCore, crypto]),
    library("RESP", [nioCore]),
    library("PrometheusText", []),
    library("EventLoops", [nioCore, nioPosix]),
    library("AdmissionReview", ["JSON"]),

    // zlib, and what is packed with it.
    .target(name: "CZlib", linkerSettings: [.linkedLibrary("z")]),
    library("Gzip", ["CZlib"]),

    // Clients: one connection-owning type each.
    library(
      "RedisClient", ["RESP", "URIEncoding", nioCore, nioPosix, nioSSL, lifecycle, logging, crypto]),
    library(
      "EtcdClient", exclude: ["Protocol"],
      [
        "EventLoops", grpcCore, grpcTransport, grpcProtobuf, protobuf, nioCore, nioPosix, nioSSL,
        lifecycle, logging,
      ]),

    // Calls of Linux that Swift does not show.
    .target(name: "CLinux"),
    library("ProcessTrees", ["CLinux"]),
    library("HTTPUpstream", ["EventLoops", nioCore, nioPosix, nioHTTP1, nioTLS, nioSSL]),
    library(
      "ObjectStore",
      [
        "URIEncoding", "CLinux", "JSON", "EventLoops", "HTTPUpstream", nioCore, nioPosix,
        nioHTTP1, nioSSL,
        httpTypes, lifecycle, logging, metrics, crypto, system,
      ]),

    // Service kit: what every process does the same way.
    library(
      "ServiceKit",
      [
        "CLinux", "URIEncoding", "JSON", "PrometheusText", nioCore, nioPosix, nioHTTP1, nioSSL,
        certificateReloading,
        lifecycle, unixSignals, logging, metrics, coreMetrics, tracing, httpClient, arguments,
      ]),

    // Domain: the rules.
    library(
      "Coordination",
      [
        "URIEncoding", "JSON", "EventLoops", "RESP", "RedisClient", "EtcdClient", nioCore, nioPosix,
        lifecycle,
        logging, metrics,
        crypto,
      ]),
    library(
      "PodHook",
      [
        "JSON", "AdmissionReview", "Coordination", "ServiceKit", "RedisClient", "EtcdClient",
        "EventLoops", nioCore, nioPosix, nioHTTP1, nioSSL, nioExtras, hummingbirdCore,
        hummingbirdTLS, hummingbirdHTTP2, certificateReloading, lifecycle, logging, metrics,
        coreMetrics, tracing,
        serviceContext, crypto, httpTypes, arguments,
      ]),

    library("HTTPServing", ["EventLoops", nioCore, nioPosix, nioHTTP1, lifecycle, logging]),
    library(
      "KeyValueHTTP",
      [
        "URIEncoding", "JSON", "ObjectStore", "ServiceKit", "HTTPServing", nioCore, nioPosix,
        nioHTTP1, lifecycle,
        logging, metrics, coreMetrics, tracing, serviceContext, crypto, arguments,
      ]),

    library(
      "FilteringProxy", ["IPAddresses", nioCore, nioPosix, lifecycle, logging]),

    library("ChromiumServer", ["JSON"]),

    library(
      "RedisProxy",
      [
        "RESP", "RedisClient", "PrometheusText", "ServiceKit", nioCore, nioPosix, nioHTTP1, nioSSL,
        lifecycle, logging, arguments,
      ]),

    library(
      "ExporterMerger",
      [
        "URIEncoding", "PrometheusText", "Gzip", "ServiceKit", "HTTPServing", httpClient, nioCore,
        nioPosix,
        nioHTTP1, lifecycle, logging, arguments,
      ]),

    // Executables: parse, build, run.
    executable(
      "exactly-one-pod-hook",
      ["PodHook", "Coordination", "ServiceKit", nioPosix, logging, arguments]),
    executable(
      "at-least-semaphore-pod-hook",
      ["PodHook", "Coordination", "ServiceKit", nioCore, nioPosix, logging, arguments]),

    executable(
      "http-kvs", ["KeyValueHTTP", "ObjectStore", "ServiceKit", nioPosix, logging, arguments]),

    executable("redis-proxy", ["RedisProxy", "ServiceKit", logging, arguments]),

    executable("exporter-merger", ["ExporterMerger", "ServiceKit", logging, arguments]),

    // Reads metrics and nothing else, for the merger's benchmark.
    executable("exposition-parse", path: "Benchmarks/exposition-parse", ["PrometheusText"]),

    // Beside the webhook in its benchmarks: the same HTTP stack, nothing decided.
    executable(
      "admission-constant", path: "Benchmarks/admission-constant",
      [
        hummingbirdCore, hummingbirdTLS, httpTypes, nioCore, nioPosix, nioSSL, lifecycle,
        unixSignals,
        logging,
      ]),

    // In place of S3 in the benchmarks of http-kvs.
    executable("s3-constant", path: "Benchmarks/s3-constant", [nioCore, nioHTTP1, nioPosix]),

    // What the demo and the tests share: real servers and a small kubelet on this machine.
    library("LocalServers", [subprocess, system, x509, asn1, crypto]),
    library(
      "LocalKubelet",
      ["JSON", "AdmissionReview", "LocalServers", httpClient, nioCore, nioHTTP1, nioSSL, yams]),
    executable(
      "demo",
      [
        "LocalKubelet", "LocalServers", "JSON", "exactly-one-pod-hook",
        "at-least-semaphore-pod-hook",
      ]),

    // A process that uses a file store, for tests that kill it.
    executable(
      "file-store-worker", path: "Tests/FileStoreWorker", ["ObjectStore", nioCore, logging]),

    tests("JSONTests", ["JSON"]),
    tests("URIEncodingTests", ["URIEncoding"]),
    tests("IPAddressesTests", ["IPAddresses"]),
    tests("ChromiumServerTests", ["ChromiumServer", "JSON"]),
    tests("ProcessTreesTests", ["ProcessTrees", "LocalServers"]),
    tests("WebSocketFramesTests", ["WebSocketFrames", nioCore, nioEmbedded, nioWebSocket]),
    tests(
      "FilteringProxyTests",
      ["FilteringProxy", "IPAddresses", "LocalServers", nioCore, nioPosix, lifecycle, logging]),
    tests("RESPTests", ["RESP", nioCore]),
    tests("PrometheusTextTests", resources: [.copy("Fixtures")], ["PrometheusText"]),
    tests("GzipTests", ["Gzip"]),
    tests(
      "ExporterMergerTests",
      ["ExporterMerger", "PrometheusText", "ServiceKit", logging, arguments]),
    tests("AdmissionReviewTests", resources: [.copy("Fixtures")], ["AdmissionReview", "JSON"]),
    tests(
      "RedisClientTests",
      ["RedisClient", "RESP", "LocalServers", nioCore, nioPosix, nioEmbedded, lifecycle, logging]),
    tests(
      "EtcdClientTests",
      ["EtcdClient", "LocalServers", nioCore, nioPosix, nioEmbedded, logging]),
    tests(
      "HTTPUpstreamTests",
      ["HTTPUpstream", "EventLoops", "LocalServers", nioCore, nioPosix, nioHTTP1, nioSSL]),
    tests(
      "ObjectStoreTests", resources: [.copy("Fixtures")],
      [
        "URIEncoding", "ObjectStore", "HTTPUpstream", "LocalServers", "JSON", "file-store-worker",
        nioCore,
        nioPosix, nioHTTP1, httpTypes, lifecycle, logging, crypto, subprocess, system,
      ]),
    tests(
      "HTTPServingTests",
      ["HTTPServing", "LocalServers", nioCore, nioPosix, nioHTTP1, lifecycle, logging]),
    tests(
      "KeyValueHTTPTests",
      [
        "KeyValueHTTP", "HTTPServing", "ObjectStore", "ServiceKit", "LocalServers", "JSON", nioCore,
        nioPosix, nioHTTP1, lifecycle, logging, arguments,
      ]),
    tests(
      "ServiceKitTests",
      [
        "ServiceKit", "PrometheusText", "JSON", nioCore, nioPosix, nioHTTP1, nioSSL, lifecycle,
        logging, metrics, coreMetrics, tracing, httpClient, arguments, x509, asn1, crypto,
      ]),
    tests(
      "CoordinationTests",
      [
        "Coordination", "RedisClient", "EtcdClient", "RESP", "LocalServers", "JSON", nioCore,
        nioPosix, logging, lifecycle,
      ]),
    tests(
      "RedisProxyTests",
      [
        "RedisProxy", "RESP", "RedisClient", "ServiceKit", nioCore, nioEmbedded, logging, arguments,
      ]),
    tests("LocalKubeletTests", ["LocalKubelet", "LocalServers", "JSON"]),
    tests(
      "PodHookTests",
      [
        "PodHook", "AdmissionReview", "Coordination", "JSON", "ServiceKit", "RedisClient",
        coreMetrics, nioCore, nioHTTP1, lifecycle, logging, arguments,
      ]),
    tests(
      "IntegrationTests",
      [
        "exactly-one-pod-hook", "at-least-semaphore-pod-hook", "http-kvs", "exporter-merger",
        "redis-proxy", "PrometheusText", "LocalServers",
        "LocalKubelet",
        "JSON", httpClient, nioCore, nioPosix, nioHTTP1, nioSSL,
      ]),
  ],
  swiftLanguageModes: [.v6]
)
