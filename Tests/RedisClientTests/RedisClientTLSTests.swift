import LocalServers
import RESP
import RedisClient
import Testing

@Suite(.timeLimit(.minutes(5))) struct RedisClientTLSTests {
  @Test(arguments: ["127.0.0.1", "localhost"])
  func namesAndAddressesAreVerified(host: String) async throws {
    try await withTLSServer { server, certificates in
      var configuration = RedisConfiguration.patient(server)
      configuration.address.host = host
      configuration.tls = RedisTLS(authorityFile: certificates.authorityPath)
      try await withClient(configuration) { client in
        let reply = try await client.send(RESPCommand("PING"))
        #expect(reply.string == "PONG")
      }
    }
  }

  @Test func aStrangersCertificateIsRefused() async throws {
    try await withTLSServer { server, _ in
      var configuration = RedisConfiguration.patient(server)
      configuration.address.usesTLS = true
      try await expectFailure(configuration, "CERTIFICATE_VERIFY_FAILED")
    }
  }

  @Test func aCertificateForAnotherNameIsRefused() async throws {
    try await withLocalProcesses { processes in
      let certificates = try TestCertificates(directory: processes.newDirectory("certificates"))
      let openssl = try await processes.start(
        LocalProcess.Command(
          name: "openssl", executable: "openssl",
          arguments: [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2", "-subj", "/CN=other.example",
            "-addext", "subjectAltName=DNS:other.example",
            "-keyout", certificates.keyPath, "-out", certificates.certificatePath,
          ],
          installHint: "install openssl"))
      #expect(try await openssl.waitForExit() == .exited(0))
      let server = try await RedisServer.start(
        RedisServer.Settings(certificates: certificates), in: processes)
      var configuration = RedisConfiguration.patient(server)
      configuration.tls = RedisTLS(authorityFile: certificates.certificatePath)
      try await expectFailure(configuration, "failedToValidateHostname")
      configuration.tls?.serverName = "other.example"
      try await withClient(configuration) { client in
        let reply = try await client.send(RESPCommand("PING"))
        #expect(reply.string == "PONG")
      }
      configuration.address.host = "localhost"
      configuration.tls?.serverName = nil
      try await expectFailure(configuration, "failedToValidateHostname")
      configuration.tls?.serverName = "192.0.2.1"
      try await expectFailure(configuration, "has to be a DNS name")
    }
  }

  @Test func aServerMayAskForTheClientsCertificate() async throws {
    try await withTLSServer(["--tls-auth-clients", "yes"]) { server, certificates in
      var configuration = RedisConfiguration.patient(server)
      configuration.tls = RedisTLS(authorityFile: certificates.authorityPath)
      try await withClient(configuration) { client in
        let error = await #expect(throws: RedisError.self) {
          try await client.send(RESPCommand("PING"))
        }
        #expect(error?.kind == .notConnected)
      }
      configuration.tls?.certificateFile = certificates.certificatePath
      configuration.tls?.keyFile = certificates.keyPath
      try await withClient(configuration) { client in
        let reply = try await client.send(RESPCommand("PING"))
        #expect(reply.string == "PONG")
      }
    }
  }

  @Test func faultyFilesAreNamed() async throws {
    try await withTLSServer { server, certificates in
      var configuration = RedisConfiguration.patient(server)
      configuration.tls = RedisTLS(authorityFile: "/no/such/ca.crt")
      try await expectFailure(configuration, "certificate authorities from /no/such/ca.crt")
      configuration.tls = RedisTLS(
        authorityFile: certificates.authorityPath, certificateFile: certificates.certificatePath)
      try await expectFailure(configuration, "certificate and its key together")
      configuration.tls?.keyFile = certificates.certificatePath
      try await expectFailure(configuration, "client key from \(certificates.certificatePath)")
    }
  }

  @Test func plainTextToATLSServerFails() async throws {
    try await withTLSServer { server, _ in
      try await expectFailure(.patient(server), "TLS on one side only")
    }
  }

  private func expectFailure(
    _ configuration: RedisConfiguration, _ reason: String
  ) async throws {
    try await withClient(configuration) { client in
      let error = await #expect(throws: RedisError.self) {
        try await client.send(RESPCommand("PING"))
      }
      #expect(error?.kind == .notConnected)
      #expect(error?.description.contains(reason) == true, "\(error as Any)")
    }
  }

  private func withTLSServer(
    _ arguments: [String] = [],
    _ body: (RedisServer, TestCertificates) async throws -> Void
  ) async throws {
    try await withLocalProcesses { processes in
      let certificates = try TestCertificates(directory: processes.newDirectory("certificates"))
      let server = try await RedisServer.start(
        RedisServer.Settings(certificates: certificates, arguments: arguments), in: processes)
      try await body(server, certificates)
    }
  }
}
