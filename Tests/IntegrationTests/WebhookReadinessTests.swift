import AsyncHTTPClient
import JSON
import LocalKubelet
import LocalServers
import NIOHTTP1
import Testing

/// Probes, metrics and logs of the webhook.
@Suite(.serialized) struct WebhookReadinessTests {
  private func readiness(_ hook: HookProcess) async -> Reply? {
    try? await HTTPClient.shared.get("http://127.0.0.1:\(hook.probePort)/readyz")
  }

  @Test func itIsReadyWhileAMajorityOfTheStoreAnswers() async throws {
    try await withLocalProcesses { processes in
      let redis = try await processes.startRedisServers(3)
      for server in redis { try await server.kill() }
      let certificates = try TestCertificates(directory: processes.newDirectory("certificates"))
      let hook = try await HookProcess.start(
        HookProcess.Settings(
          executable: HookExecutables.built()[.exactlyOne], certificates: certificates,
          redisAddresses: redis.map(\.address)),
        awaitReady: false, in: processes)
      let unready = try await eventually("readiness is told") { await readiness(hook) }
      #expect(unready.status == 503)
      for server in redis { #expect(unready.text.contains(server.address), "\(unready.text)") }
      let health = try await HTTPClient.shared.get("http://127.0.0.1:\(hook.probePort)/healthz")
      #expect(health.status == 200)

      try await redis[0].restart()
      try await redis[1].restart()
      try await hook.waitUntilReady()
      try await redis[1].kill()
      let again = try await eventually("it is unready again") {
        let reply = await readiness(hook)
        return reply?.status == 503 ? reply : nil
      }
      #expect(again.text.contains(redis[1].address) && again.text.contains(redis[2].address))
      try await redis[2].restart(empty: true)
      try await hook.waitUntilReady()
      #expect(hook.process.exitStatus == nil)
    }
  }

  @Test func metricsCarryTheDocumentedNames() async throws {
    try await withCluster { cluster in
      let pod = try await cluster.kubelet.create(guardedPod("one", key: "metrics"))
      _ = try await cluster.kubelet.create(plainPod("plain"))
      _ = try await cluster.kubelet.refusal(of: guardedPod("two", key: "metrics"))
      let malformed = try await withClient(trusting: cluster.certificates.authorityPath) {
        try await $0.post(cluster.hook.address, Array("x".utf8)).status
      }
      #expect(malformed == 400)
      let reply = try await HTTPClient.shared.get(
        "http://127.0.0.1:\(cluster.hook.metricsPort)/metrics")
      #expect(reply.headers.first(name: "content-type")?.hasPrefix("text/plain") == true)
      let metrics = try Exposition(reply.text)
      for (name, kind) in [
        ("admissions_total", "counter"), ("admission_duration_seconds", "histogram"),
        ("admission_malformed_requests_total", "counter"), ("lock_store_errors_total", "counter"),
        ("lock_store_duration_seconds", "histogram"),
        ("certificate_expiry_timestamp_seconds", "gauge"),
        ("certificate_reloads_total", "counter"), ("certificate_reload_failures_total", "counter"),
      ] { #expect(metrics.kinds[name] == kind, "\(name)") }
      #expect(metrics.sum("admissions_total", "outcome=\"granted\"") == 1)
      #expect(metrics.sum("admissions_total", "outcome=\"taken\"") == 1)
      #expect(metrics.sum("admissions_total", "outcome=\"not_guarded\"") == 1)
      #expect(metrics.sum("admissions_total", "allowed=\"true\"") == 2)
      #expect(metrics.sum("admission_malformed_requests_total") == 1)
      #expect(metrics.sum("admission_duration_seconds_count") == 3)
      #expect(metrics.samples.keys.count { $0.contains("node=") && $0.contains("_count") } == 3)
      #expect(!reply.text.contains(try #require(pod.object.sidecarToken)))
      try await expectSidecarMetrics(pod)
    }
  }

  private func expectSidecarMetrics(_ pod: RunningPod) async throws {
    try await pod.wait(for: .appRunning)
    let port = try #require(pod.probePorts.values.first)
    let reply = try await HTTPClient.shared.get("http://127.0.0.1:\(port)/metrics")
    let metrics = try Exposition(reply.text)
    #expect(metrics.samples["lock_held"] == 1)
    #expect(metrics.samples["lock_acquired_total"] == 1)
    for name in [
      "lock_renewed_total", "lock_renewal_failures_total", "lock_released_total",
      "lock_sidecar_crashes_total", "lock_lease_left_seconds",
    ] { #expect(metrics.kinds[name] != nil, "\(name)") }
    #expect(!reply.text.contains(try #require(pod.object.sidecarToken)))
  }

  @Test func logsAreJSONAndTellWhatWasDecidedButNeverTheToken() async throws {
    try await withCluster { cluster in
      let pod = try await cluster.kubelet.create(guardedPod("one", key: "logs"))
      _ = try await cluster.kubelet.refusal(of: guardedPod("two", key: "logs"))
      try await pod.wait(for: .appRunning)
      let token = try #require(pod.object.sidecarToken)
      let line = try await withDeadline(.seconds(30), "the refusal is logged") {
        try await cluster.hook.process.line(containing: "pod refused")
      }
      let refusal = try JSONValue(parsing: line)
      #expect(refusal["key"] == "team-a/logs")
      #expect(refusal["pod"] == "two")
      #expect(refusal["namespace"] == "team-a")
      #expect(refusal["outcome"] == "taken")
      #expect(refusal["reason"]?.string?.hasPrefix("lock already taken by Pod one") == true)
      let lock = try await pod.lock().answer.encoded
      #expect(!String(decoding: lock, as: UTF8.self).contains(token))
      try await pod.delete()
      let lines = cluster.hook.process.output + pod.sidecarOutput
      #expect(lines.count >= 5)
      for line in lines {
        let event = try? JSONValue(parsing: line)
        #expect(event?["time"] != nil && event?["level"] != nil, "\(line)")
        #expect(event?["message"]?.string?.isEmpty == false, "\(line)")
        #expect(!line.contains(token), "\(line)")
      }
    }
  }
}
