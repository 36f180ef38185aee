import JSON
import LocalServers

/// Debian's Prometheus, which scrapes each second.
struct RunningPrometheus: Sendable {
  struct Job {
    let name: String
    let ports: [Int]
    let honorsLabels: Bool

    init(_ name: String, ports: [Int], honorsLabels: Bool = false) {
      self.name = name
      self.ports = ports
      self.honorsLabels = honorsLabels
    }
  }

  private let process: LocalProcess
  private let port: Int

  /// Starts it with exemplars; more features as `options` say.
  static func start(
    _ jobs: [Job], options: [String] = [], in processes: LocalProcesses
  ) async throws -> RunningPrometheus {
    let port = try FreePort.next()
    let directory = try processes.newDirectory("prometheus")
    var configuration = """
      global: { scrape_interval: 1s, scrape_timeout: 1s }
      scrape_configs:

      """
    for job in jobs {
      let targets = job.ports.map { "\"127.0.0.1:\($0)\"" }.joined(separator: ",")
      configuration += """
        - job_name: \(job.name)
          honor_labels: \(job.honorsLabels)
          static_configs: [ { targets: [ \(targets) ] } ]

        """
    }
    try SmallTestFile.write(configuration, to: directory + "/prometheus.yml")
    let process = try await processes.start(
      LocalProcess.Command(
        name: "prometheus", executable: "prometheus",
        arguments: [
          "--config.file=\(directory)/prometheus.yml", "--storage.tsdb.path=\(directory)/data",
          "--web.listen-address=127.0.0.1:\(port)", "--enable-feature=exemplar-storage",
        ] + options,
        installHint: "install prometheus (Debian: apt-get install prometheus)"))
    return RunningPrometheus(process: process, port: port)
  }

  /// What it complained about.
  var warnings: [String] {
    process.output.filter { $0.contains("level=warn") || $0.contains("level=error") }
  }

  func get(_ path: String) async throws -> String {
    try await fetch("http://127.0.0.1:\(port)/api/v1/\(path)")
  }

  /// Waits until all targets have been scraped so often.
  func scrapes(_ count: Double) async throws {
    _ = try await obtain("Prometheus has scraped for a while: \(process.output.suffix(5))") {
      (try await value("min(count_over_time(up[1h]))") ?? 0) >= count ? true : nil
    }
  }

  /// The value of the first series that a query finds.
  func value(_ query: String) async throws -> Double? {
    try await results(query).first?["value"]?.array?.last?.string.flatMap { Double($0) }
  }

  /// The series of a target of the job `direct`, and those that the job `merger` has of it.
  func series(
    port: Int, source: String, withValues: Bool
  ) async throws -> (direct: Set<String>, merged: Set<String>) {
    let direct = try await results("{job=\"direct\",instance=\"127.0.0.1:\(port)\"}")
    let merged = try await results("{job=\"merger\",merger_url=\"\(source)\"}")
    return (
      Set(direct.compactMap { text($0, withValues, isMerged: false) }),
      Set(merged.compactMap { text($0, withValues, isMerged: true) })
    )
  }

  /// A series without what scraping adds; nil if it is all added.
  private func text(_ result: JSONValue, _ withValue: Bool, isMerged: Bool) -> String? {
    var labels: [String: String] = [:]
    for (name, value) in result["metric"]?.object?.members ?? [] { labels[name] = value.string }
    let name = labels["__name__"] ?? ""
    if name == "up" || ["scrape_", "exporter_merger_"].contains(where: name.hasPrefix) {
      return nil
    }
    labels["job"] = nil
    labels["instance"] = nil
    if isMerged { labels["merger_url"] = labels.removeValue(forKey: "exported_merger_url") }
    let value = result["value"]?.array?.last?.string ?? "native"
    return labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
      + (withValue ? " \(value)" : "")
  }

  private func results(_ query: String) async throws -> [JSONValue] {
    let escaped = query.utf8.map { byte in
      let isPlain = (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
      let hex = String(byte, radix: 16, uppercase: true)
      return isPlain ? String(Unicode.Scalar(byte)) : (byte < 16 ? "%0" : "%") + hex
    }.joined()
    let answer = try JSONValue(parsing: await get("query?query=\(escaped)"))
    return answer["data"]?["result"]?.array ?? []
  }
}
