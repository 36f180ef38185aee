import EtcdClient
import Glibc
import LocalServers
import Synchronization
import Testing

/// TLS, and users with passwords.
@Suite(.timeLimit(.minutes(5))) struct EntryTests {
  @Test(arguments: ["127.0.0.1", "localhost"])
  func namesAndAddressesAreVerified(host: String) async throws {
    try await withTLSServer { server, certificates in
      try await withClient(
        [server],
        configure: {
          $0.addresses[0].host = host
          $0.tls = EtcdTLS(authorityFile: certificates.authorityPath)
        }
      ) { client in
        try await client.put("key", "1")
        #expect(try await client.value("key") == "1")
      }
    }
  }

  @Test func clientsShowTheirCertificate() async throws {
    try await withTLSServer(requiresClientCertificate: true) { server, certificates in
      let tls = EtcdTLS(authorityFile: certificates.authorityPath)
      try await expectFailure(server, tls, "")
      var complete = tls
      complete.certificateFile = certificates.certificatePath
      complete.keyFile = certificates.keyPath
      try await withClient([server], configure: { $0.tls = complete }) { client in
        try await client.put("key", "1")
      }
    }
  }

  @Test func aStrangersCertificateIsRefused() async throws {
    try await withTLSServer { server, _ in
      try await withLocalProcesses { processes in
        let stranger = try TestCertificates(directory: processes.newDirectory("stranger"))
        try await expectFailure(
          server, EtcdTLS(authorityFile: stranger.authorityPath), "CERTIFICATE_VERIFY_FAILED")
      }
    }
  }

  @Test func faultyFilesAreNamed() async throws {
    try await withTLSServer { server, certificates in
      try await expectFailure(
        server, EtcdTLS(authorityFile: "/no/such/ca.crt"),
        "certificate authorities from /no/such/ca.crt")
      var half = EtcdTLS(certificateFile: certificates.certificatePath)
      try await expectFailure(server, half, "certificate and its key together")
      half.keyFile = certificates.certificatePath
      try await expectFailure(server, half, certificates.certificatePath)
    }
  }

  /// The files are read again when calls fail.
  @Test func filesThatAppearAreUsed() async throws {
    try await withTLSServer { server, certificates in
      let path = certificates.directory + "/later.crt"
      try await withClient([server], configure: { $0.tls = EtcdTLS(authorityFile: path) }) {
        client in
        await #expect(throws: EtcdError.self) {
          try await client.get("key", timeout: .milliseconds(100))
        }
        #expect(rename(certificates.authorityPath, path) == 0)
        try await client.put("key", "1")
      }
    }
  }

  @Test(arguments: EtcdVersion.allCases)
  func usersEnterWithTheirPassword(version: EtcdVersion) async throws {
    try await withEtcdServers(count: 1, settings: version.settings()) { servers in
      let server = servers[0]
      let credentials = EtcdCredentials(username: "root", password: "secret")
      // Credentials are no hindrance where nobody asks for them.
      try await withClient([server], configure: { $0.credentials = credentials }) { client in
        try await client.put("key", "1")
      }
      try await server.etcdctl("user", "add", "root:secret")
      try await server.etcdctl("user", "grant-role", "root", "root")
      try await server.etcdctl("user", "add", "guest:guest")
      try await server.etcdctl("auth", "enable")

      try await withClient([server], configure: { $0.credentials = credentials }) { client in
        #expect(try await client.value("key") == "1")
        let grant = try await client.grantLease(ttl: .seconds(60), timeout: patience)
        try await client.put("key", "2", lease: grant.lease)
        #expect(try await client.keepAlive(grant.lease, timeout: patience).ttl == .seconds(60))
        let seen = Mutex(0)
        let revision = try await client.put("key", "3").state.revision
        try await client.watch(.key("key"), from: revision) { events in
          seen.withLock { $0 += events.count }
          return false
        }
        #expect(seen.withLock { $0 } == 1)
        // Restarted, the server has forgotten the token.
        try await server.restart()
        #expect(try await client.value("key") == "3")
      }
      try await expectDenied(server, nil)
      try await expectDenied(server, EtcdCredentials(username: "root", password: "wrong"))
      try await expectDenied(server, EtcdCredentials(username: "guest", password: "guest"))
    }
  }

  @Test func credentialsAreNeverShown() {
    let credentials = EtcdCredentials(username: "root", password: "secret")
    var dumped = ""
    var configuration = EtcdConfiguration(addresses: [])
    configuration.credentials = credentials
    dump(configuration, to: &dumped)
    #expect(!dumped.contains("secret") && !"\(credentials)".contains("secret"))
  }

  private func expectDenied(_ server: EtcdServer, _ credentials: EtcdCredentials?) async throws {
    try await withClient([server], configure: { $0.credentials = credentials }) { client in
      let error = await #expect(throws: EtcdError.self) {
        try await client.get("key", timeout: patience)
      }
      #expect(error?.kind == .denied, "\(error as Any)")
    }
  }

  private func expectFailure(_ server: EtcdServer, _ tls: EtcdTLS, _ reason: String) async throws {
    try await withClient([server], configure: { $0.tls = tls }) { client in
      let error = await #expect(throws: EtcdError.self) {
        try await client.get("key", timeout: .seconds(3))
      }
      #expect(error?.kind == .unavailable)
      #expect(reason.isEmpty || "\(error as Any)".contains(reason), "\(error as Any)")
    }
  }

  private func withTLSServer(
    requiresClientCertificate: Bool = false,
    _ body: (EtcdServer, TestCertificates) async throws -> Void
  ) async throws {
    try await withLocalProcesses { processes in
      let certificates = try TestCertificates(directory: processes.newDirectory("certificates"))
      let servers = try await processes.startEtcdServers(
        1,
        EtcdServer.Settings(
          certificates: certificates, requiresClientCertificate: requiresClientCertificate))
      try await body(servers[0], certificates)
    }
  }
}
