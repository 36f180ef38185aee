import AsyncHTTPClient
import Glibc
import JSON
import LocalKubelet
import LocalServers
import Testing

/// The serving certificate changes while the webhook serves.
@Suite(.serialized) struct WebhookCertificateTests {
  private static let plain = review(plainPod("plain")).encoded

  /// Keeps 32 connections busy while `body` runs.
  ///
  /// - Returns: how many requests were answered; a failed one is an error.
  private func busily(
    _ hook: HookProcess, authorityPath: String, _ body: () async throws -> Void
  ) async throws -> Int {
    let isOver = Observed(false)
    return try await withClient(trusting: authorityPath, connections: 32) { client in
      try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<32 {
          group.addTask {
            var count = 0
            while !isOver.current {
              let reply = try await client.post(hook.address, Self.plain)
              #expect(reply.response?["allowed"] == true)
              count += 1
            }
            return count
          }
        }
        defer { isOver.update { $0 = true } }
        try await body()
        isOver.update { $0 = true }
        return try await group.reduce(0, +)
      }
    }
  }

  private func expect(_ serialNumber: [UInt8], on hook: HookProcess) async throws {
    try await eventually("new connections see the new certificate") {
      try await RawConnection.serialNumber(onPort: hook.port) == serialNumber ? true : nil
    }
  }

  private func start(
    _ certificates: TestCertificates, _ directory: String? = nil, in processes: LocalProcesses
  ) async throws -> HookProcess {
    // The last one of two equal options counts.
    try await HookProcess.start(
      HookProcess.Settings(
        executable: HookExecutables.built()[.exactlyOne], certificates: certificates,
        redisAddresses: ["127.0.0.1:1"],
        arguments: ["--lock-mode", "memory"] + (directory.map { ["--certDir", $0] } ?? [])),
      in: processes)
  }

  @Test func aNewCertificateComesWithoutAFailedRequest() async throws {
    try await withLocalProcesses { processes in
      let certificates = try TestCertificates(directory: processes.newDirectory("certificates"))
      let hook = try await start(certificates, in: processes)
      let before = try await RawConnection.serialNumber(onPort: hook.port)
      let count = try await busily(hook, authorityPath: certificates.authorityPath) {
        for _ in 0..<2 {
          let serialNumber = try certificates.reissue()
          #expect(serialNumber != before)
          try await expect(serialNumber, on: hook)
        }
      }
      #expect(count >= 64)
      #expect(hook.process.exitStatus == nil)
    }
  }

  @Test func aSecretThatKubernetesSwapsIsNoticed() async throws {
    try await withLocalProcesses { processes in
      let certificates = try TestCertificates(directory: processes.newDirectory("authority"))
      let mount = try processes.newDirectory("mount")
      _ = try publish(certificates, version: "..1", in: mount)
      for name in ["tls.crt", "tls.key"] {
        #expect(symlink("..data/\(name)", "\(mount)/\(name)") == 0)
      }
      let hook = try await start(certificates, mount, in: processes)
      let count = try await busily(hook, authorityPath: certificates.authorityPath) {
        let serialNumber = try publish(certificates, version: "..2", in: mount)
        try await expect(serialNumber, on: hook)
      }
      #expect(count >= 32)
    }
  }

  /// As the kubelet does: a new directory, then `..data` swapped in one step.
  private func publish(
    _ certificates: TestCertificates, version: String, in mount: String
  ) throws -> [UInt8] {
    let pair = try certificates.issue(commonName: "localhost")
    let directory = "\(mount)/\(version)"
    #expect(mkdir(directory, 0o700) == 0)
    try write(pair.certificate, to: "\(directory)/tls.crt")
    try write(pair.key, to: "\(directory)/tls.key")
    #expect(symlink(version, "\(mount)/..data_tmp") == 0)
    #expect(rename("\(mount)/..data_tmp", "\(mount)/..data") == 0)
    return pair.serialNumber
  }

  private func write(_ text: String, to path: String) throws {
    let file = try #require(fopen(path, "w"))
    defer { fclose(file) }
    #expect(fputs(text, file) >= 0)
  }

  @Test(arguments: [false, true])
  func aBadCertificateLeavesTheLastGoodOneInUse(isForeignKey: Bool) async throws {
    try await withLocalProcesses { processes in
      let certificates = try TestCertificates(directory: processes.newDirectory("certificates"))
      let hook = try await start(certificates, in: processes)
      let good = try await RawConnection.serialNumber(onPort: hook.port)
      if isForeignKey {
        try write(certificates.issue(commonName: "localhost").key, to: certificates.keyPath)
      } else {
        try write("-----BEGIN CERTIFICATE-----\nnonsense\n", to: certificates.certificatePath)
      }
      try await withDeadline(.seconds(30), "the bad certificate is noticed") {
        try await hook.process.line(containing: "Certificate not reloaded")
      }
      #expect(try await RawConnection.serialNumber(onPort: hook.port) == good)
      try await expect(certificates.reissue(), on: hook)
    }
  }
}
