import AsyncHTTPClient
import Glibc
import Metrics
import NIOCore
import NIOSSL
import ServiceKit
import Testing

@Suite(.timeLimit(.minutes(2))) struct ServingCertificatesTests {
  private let registry = PrometheusRegistry()
  private let lines = Collected<[UInt8]>()

  private func load(_ directory: String) throws -> ServingCertificates {
    try ServingCertificates(
      directory: directory, interval: .milliseconds(20), metrics: registry,
      logger: lines.logger())
  }

  private func exposes(_ line: String) -> Bool {
    String(decoding: registry.expose(), as: UTF8.self).contains(line + "\n")
  }

  /// One request on a connection of its own.
  private func get(
    _ server: MonitorServer, trusting authority: TestCertificate,
    as client: TestCertificate? = nil
  ) async throws -> String {
    var tls = TLSConfiguration.makeClientConfiguration()
    tls.trustRoots = .certificates(
      try NIOSSLCertificate.fromPEMBytes(Array(authority.certificate.utf8)))
    if let client {
      tls.certificateChain = try NIOSSLCertificate.fromPEMBytes(Array(client.certificate.utf8))
        .map { .certificate($0) }
      tls.privateKey = .privateKey(
        try NIOSSLPrivateKey(bytes: Array(client.key.utf8), format: .pem))
    }
    var configuration = HTTPClient.Configuration(tlsConfiguration: tls)
    // A refused certificate stays refused.
    configuration.connectionPool.retryConnectionEstablishment = false
    let http = HTTPClient(
      eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
    do {
      let port = server.address.port ?? 0
      let response = try await http.execute(
        HTTPClientRequest(url: "https://localhost:\(port)/"), timeout: .seconds(30))
      let text = String(buffer: try await response.body.collect(upTo: 1024))
      try await http.shutdown()
      return text
    } catch {
      try await http.shutdown()
      throw error
    }
  }

  private func server(_ tls: TLSConfiguration) throws -> MonitorServer {
    try MonitorServer(
      name: "test", address: .tcp(host: "127.0.0.1", port: 0), tls: tls, logger: .silent
    ) { _ in .text("secure") }
  }

  @Test func newConnectionsGetTheNewCertificateAfterASwapOfTheDirectory() async throws {
    try await withTemporaryDirectory { directory in
      let old = try TestCertificate(name: "old", expiry: 4_000_000_000)
      let new = try TestCertificate(name: "new", expiry: 4_000_000_060)
      // As Kubernetes lays a Secret out: tls.crt -> ..data/tls.crt, ..data -> a directory.
      for (name, certificate) in [("..1", old), ("..2", new)] {
        mkdir(directory + "/" + name, 0o700)
        try certificate.write(to: directory + "/" + name)
      }
      symlink("..1", directory + "/..data")
      symlink("..data/tls.crt", directory + "/tls.crt")
      symlink("..data/tls.key", directory + "/tls.key")

      let certificates = try load(directory)
      let server = try server(try certificates.serverConfiguration())
      #expect(exposes("certificate_expiry_timestamp_seconds 4000000000"))
      try await withServices(certificates, server) {
        let oldAnswer = try await get(server, trusting: old)
        #expect(oldAnswer == "secure\n")
        symlink("..2", directory + "/..data_tmp")
        rename(directory + "/..data_tmp", directory + "/..data")
        _ = await lines.first(1)
        let newAnswer = try await get(server, trusting: new)
        #expect(newAnswer == "secure\n")
        await #expect(throws: (any Error).self) { try await get(server, trusting: old) }
      }
      #expect(lines.lines.first?.contains("Certificate reloaded") == true)
      #expect(exposes("certificate_expiry_timestamp_seconds 4000000060"))
      #expect(exposes("certificate_reloads_total 1"))
    }
  }

  @Test func aBadPairLeavesTheLastGoodOne() async throws {
    try await withTemporaryDirectory { directory in
      let old = try TestCertificate(name: "old")
      let new = try TestCertificate(name: "new")
      try old.write(to: directory)
      let certificates = try load(directory)
      let server = try server(try certificates.serverConfiguration())
      try await withServices(certificates, server) {
        try write(new.key, to: directory + "/tls.key")
        let first = await lines.first(1)
        #expect(String(decoding: first[0], as: UTF8.self).contains("does not belong to"))
        let oldAnswer = try await get(server, trusting: old)
        #expect(oldAnswer == "secure\n")
        #expect(await certificates.healthCheck() == .healthy)
        try write(new.certificate, to: directory + "/tls.crt")
        _ = await lines.first(2)
        let newAnswer = try await get(server, trusting: new)
        #expect(newAnswer == "secure\n")
      }
      #expect(!exposes("certificate_reload_failures_total 0"))
    }
  }

  @Test func readsFilesOnlyWhenTheyHaveChanged() async throws {
    try await withTemporaryDirectory { directory in
      let pair = try TestCertificate(name: "same")
      try pair.write(to: directory)
      let certificates = try load(directory)
      certificates.reloadIfChanged()
      #expect(exposes("certificate_reloads_total 0"))
      try pair.write(to: directory)
      certificates.reloadIfChanged()
      #expect(exposes("certificate_reloads_total 1"))
    }
  }

  @Test func mutualTLSAsksForACertificateOfTheCA() async throws {
    try await withTemporaryDirectory { directory in
      let serving = try TestCertificate(name: "server")
      let client = try TestCertificate(name: "client")
      try serving.write(to: directory)
      try write(client.certificate, to: directory + "/ca.crt")
      let certificates = try load(directory)
      let server = try server(
        try certificates.serverConfiguration(clientCAFile: directory + "/ca.crt"))
      try await withServices(server) {
        let servingAnswer = try await get(server, trusting: serving, as: client)
        #expect(servingAnswer == "secure\n")
        await #expect(throws: (any Error).self) { try await get(server, trusting: serving) }
        await #expect(throws: (any Error).self) {
          try await get(server, trusting: serving, as: serving)
        }
      }
    }
  }

  @Test func missingFilesSayWhatToDo() {
    let error = #expect(throws: FatalError.self) { try load("/nonexistent") }
    #expect(error?.code == .certificates)
    #expect(
      error?.message
        == "cannot read /nonexistent/tls.crt (no such file or directory): mount a Secret with "
        + "tls.crt and tls.key there, or name another directory")
  }

  @Test func unusableFilesSayWhatIsWrong() async throws {
    try await withTemporaryDirectory { directory in
      let pair = try TestCertificate(name: "a")
      try pair.write(to: directory)
      try write("nonsense", to: directory + "/tls.crt")
      let nonsense = #expect(throws: FatalError.self) { try load(directory) }
      #expect(nonsense?.message.contains("are not a certificate chain and") == true)
      try write(try TestCertificate(name: "b").certificate, to: directory + "/tls.crt")
      let mismatch = #expect(throws: FatalError.self) { try load(directory) }
      #expect(mismatch?.message.contains("does not belong to the certificate") == true)
      try pair.write(to: directory)
      let certificates = try load(directory)
      let missing = #expect(throws: FatalError.self) {
        try certificates.serverConfiguration(clientCAFile: directory + "/none")
      }
      #expect(missing?.message.contains("cannot read the client CA file") == true)
      let empty = #expect(throws: FatalError.self) {
        try certificates.serverConfiguration(clientCAFile: directory + "/tls.key")
      }
      #expect(empty?.message.contains("holds no certificate") == true)
    }
  }

  @Test func anExpiredCertificateIsUnhealthy() async throws {
    try await withTemporaryDirectory { directory in
      try TestCertificate(name: "expired", expiry: 1_500_000_000).write(to: directory)
      let certificates = try load(directory)
      #expect(certificates.expiry == 1_500_000_000)
      #expect(
        await certificates.healthCheck()
          == .unhealthy("the certificate expired at 2017-07-14T02:40:00.000Z"))
    }
  }
}
