import AsyncHTTPClient
import Glibc
import JSON
import LocalKubelet
import LocalServers
import Testing

/// Redis over TLS and with a password.
@Suite(.serialized) struct StoreCredentialsTests {
  private static let password = "correct-horse-battery-staple"

  private func withRedis(
    _ body: (LocalProcesses, TestCertificates, String) async throws -> Void
  ) async throws {
    try await withLocalProcesses { processes in
      let certificates = try TestCertificates(directory: processes.newDirectory("certificates"))
      let redis = try await RedisServer.start(
        RedisServer.Settings(
          certificates: certificates, arguments: ["--requirepass", Self.password]),
        in: processes)
      try await body(processes, certificates, "rediss://\(redis.address)")
    }
  }

  private func write(_ text: String, to path: String) throws {
    let file = try #require(fopen(path, "w"))
    defer { fclose(file) }
    #expect(fputs(text, file) >= 0)
  }

  @Test func credentialsComeFromTheEnvironmentOrFromAMountedSecret() async throws {
    try await withRedis { processes, certificates, address in
      let hook = try await HookProcess.start(
        HookProcess.Settings(
          executable: HookExecutables.built()[.exactlyOne], certificates: certificates,
          redisAddresses: [address],
          arguments: ["--redis-ca-file", certificates.authorityPath],
          environment: ["REDIS_PASSWORD": Self.password]),
        in: processes)
      let reply = try await withClient(trusting: certificates.authorityPath) {
        try await $0.post(hook.address, review(guardedPod("safe", key: "safe")).encoded)
      }
      #expect(reply.response?["allowed"] == true)

      let secret = try processes.newDirectory("secret")
      try write(Self.password + "\n", to: "\(secret)/password")
      try write(certificates.authority, to: "\(secret)/ca.crt")
      let status = try await processes.run([
        "status", "team-a/safe", "--output", "json", "--redis-addresses", address,
        "--redis-credentials-directory", secret,
      ])
      #expect(status.json?.array?.first?["held"] == true, "\(status.text)")
      for line in hook.process.output + status.lines { #expect(!line.contains(Self.password)) }
    }
  }

  @Test func aWrongPasswordOrAuthorityIsNamedAndNeverShown() async throws {
    try await withRedis { processes, certificates, address in
      let strangers = try TestCertificates(directory: processes.newDirectory("strangers"))
      let wrong = "not-\(Self.password)"
      for (authority, password, mention) in [
        (certificates.authorityPath, wrong, "WRONGPASS"),
        (strangers.authorityPath, Self.password, "CERTIFICATE"),
      ] {
        let status = try await processes.run(
          ["status", "--redis-addresses", address, "--redis-ca-file", authority],
          environment: ["REDIS_PASSWORD": password])
        #expect(status.status == .exited(1))
        #expect(status.text.uppercased().contains(mention), "\(status.text)")
        #expect(!status.text.contains(Self.password))
      }
      let hook = try await HookProcess.start(
        HookProcess.Settings(
          executable: HookExecutables.built()[.exactlyOne], certificates: certificates,
          redisAddresses: [address],
          arguments: ["--redis-ca-file", certificates.authorityPath],
          environment: ["REDIS_PASSWORD": wrong]),
        awaitReady: false, in: processes)
      let unready = try await eventually("the reason is told") {
        let url = "http://127.0.0.1:\(hook.probePort)/readyz"
        let reply = try? await HTTPClient.shared.get(url)
        return reply?.text.contains("WRONGPASS") == true ? reply : nil
      }
      #expect(unready.status == 503)
      for line in hook.process.output + [unready.text] { #expect(!line.contains(Self.password)) }
    }
  }
}
