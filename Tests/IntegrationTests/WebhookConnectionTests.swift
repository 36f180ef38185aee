import AsyncHTTPClient
import JSON
import LocalKubelet
import LocalServers
import NIOHTTP1
import NIOSSL
import Testing

/// Connections to the webhook: kept, slow, HTTP/2, mutual TLS.
@Suite(.serialized) struct WebhookConnectionTests {
  private let plain = review(plainPod("plain")).encoded

  /// Runs `body` with a webhook that needs no Redis.
  private func withHook(
    _ arguments: [String] = [], environment: [String: String] = [:],
    _ body: (HookProcess, TestCertificates, LocalProcesses) async throws -> Void
  ) async throws {
    try await withLocalProcesses { processes in
      let certificates = try TestCertificates(directory: processes.newDirectory("certificates"))
      let hook = try await HookProcess.start(
        HookProcess.Settings(
          executable: HookExecutables.built()[.exactlyOne], certificates: certificates,
          redisAddresses: ["127.0.0.1:1"], arguments: ["--lock-mode", "memory"] + arguments,
          environment: environment),
        in: processes)
      try await body(hook, certificates, processes)
    }
  }

  private func head(_ length: Int) -> String {
    "POST /mutate?timeout=10s HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
      + "content-length: \(length)\r\n\r\n"
  }

  @Test func aConnectionIsKeptForManyRequests() async throws {
    try await withHook { hook, _, _ in
      let (head, body) = (head(plain.count), String(decoding: plain, as: UTF8.self))
      try await RawConnection.with(port: hook.port) { connection in
        for _ in 0..<20 {
          try await connection.write(head + body)
          let response = try await connection.response()
          #expect(response.hasPrefix("HTTP/1.1 200 "))
          // After a refused request too.
          try await connection.write("GET /mutate HTTP/1.1\r\nhost: localhost\r\n\r\n")
          #expect(try await connection.response().hasPrefix("HTTP/1.1 405 "))
        }
      }
    }
  }

  @Test func aSlowClientIsServedAndHoldsNobodyUp() async throws {
    try await withHook { hook, certificates, _ in
      try await withClient(trusting: certificates.authorityPath) { client in
        let (head, body) = (head(plain.count), String(decoding: plain, as: UTF8.self))
        let (plain, address) = (plain, hook.address)
        try await RawConnection.with(port: hook.port) { connection in
          var rest = Substring(head + body)
          while !rest.isEmpty {
            try await connection.write(String(rest.prefix(40)))
            rest = rest.dropFirst(40)
            #expect(try await client.post(address, plain).status == 200)
          }
          #expect(try await connection.response().hasPrefix("HTTP/1.1 200 "))
        }
      }
    }
  }

  @Test(arguments: [(["--enable-http2"], HTTPVersion.http2), ([], HTTPVersion.http1_1)])
  func http2IsSpokenOnlyIfEnabled(_ flags: [String], _ version: HTTPVersion) async throws {
    try await withHook(flags) { hook, certificates, _ in
      // This client offers both.
      try await withClient(trusting: certificates.authorityPath) { client in
        let reply = try await client.post(hook.address, plain)
        #expect(reply.version == version)
        #expect(reply.response?["allowed"] == true)
        let large = [UInt8](repeating: UInt8(ascii: "x"), count: 9 << 20)
        #expect(try await client.post(hook.address, large).status == 413)
        #expect(try await client.post(hook.address, Array("x".utf8)).status == 400)
      }
    }
  }

  @Test func withAClientAuthorityOnlyItsClientsAreServed() async throws {
    try await withLocalProcesses { processes in
      let clients = try TestCertificates(directory: processes.newDirectory("clients"))
      let strangers = try TestCertificates(directory: processes.newDirectory("strangers"))
      let friend = try clients.issue(commonName: "kube-apiserver")
      let stranger = try strangers.issue(commonName: "kube-apiserver")
      try await withHook(["--client-ca-file", clients.authorityPath]) { hook, certificates, _ in
        let authority = certificates.authorityPath
        let status = try await withClient(
          trusting: authority, identity: (friend.certificate, friend.key)
        ) { try await $0.post(hook.address, plain).status }
        #expect(status == 200)
        for identity in [nil, (certificate: stranger.certificate, key: stranger.key)] {
          await #expect(throws: (any Error).self) {
            try await withClient(trusting: authority, identity: identity) {
              _ = try await $0.post(hook.address, plain)
            }
          }
        }
      }
    }
  }

  @Test func metricsAreServedOverTLSIfAskedFor() async throws {
    try await withHook(["--metrics-secure"]) { hook, certificates, _ in
      try await withClient(trusting: certificates.authorityPath) { client in
        let address = "127.0.0.1:\(hook.metricsPort)/metrics"
        let secure = try await client.get("https://\(address)")
        #expect(secure.status == 200)
        #expect(try Exposition(secure.text).kinds["admissions_total"] == "counter")
        await #expect(throws: (any Error).self) { _ = try await client.get("http://\(address)") }
      }
    }
  }
}
