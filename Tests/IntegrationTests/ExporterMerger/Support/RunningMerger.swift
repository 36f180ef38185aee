import AsyncHTTPClient
import Glibc
import LocalServers
import NIOCore
import NIOHTTP1

/// The real executable, serving.
struct RunningMerger: Sendable {
  let process: LocalProcess
  let port: Int

  var url: String { "http://127.0.0.1:\(port)/metrics" }

  /// Starts the merger; returns once it listens.
  static func start(
    _ arguments: [String], in processes: LocalProcesses
  ) async throws -> RunningMerger {
    let port = try FreePort.next()
    let process = try await processes.start(
      LocalProcess.Command(
        name: "exporter-merger", executable: executable(),
        arguments: ["--port", "\(port)", "--lameduck", "0"] + arguments))
    try await withDeadline(.seconds(60), "exporter-merger listens") {
      _ = try await process.line(containing: "\"Listening\"")
    }
    return RunningMerger(process: process, port: port)
  }

  struct Answer: Sendable {
    let status: UInt
    let headers: HTTPHeaders
    let bytes: [UInt8]

    var text: String { String(decoding: bytes, as: UTF8.self) }
  }

  func get(
    _ path: String = "/metrics", headers: HTTPHeaders = [:], method: HTTPMethod = .GET
  ) async throws -> Answer {
    var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
    request.headers = headers
    request.method = method
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(120))
    let body = try await response.body.collect(upTo: 256 << 20)
    return Answer(
      status: response.status.code, headers: response.headers, bytes: Array(body.readableBytesView))
  }

  /// In the folder `HOOK_EXECUTABLES` of the environment, else beside the tests.
  private static func executable() throws -> String {
    var directories: [String] = []
    if let variable = getenv("HOOK_EXECUTABLES") { directories = [String(cString: variable)] }
    if let own = linkTarget("/proc/self/exe") { directories.append(parent(own)) }
    for argument in CommandLine.arguments {
      guard let end = argument.firstRange(of: ".xctest")?.lowerBound else { continue }
      directories.append(parent(String(argument[..<end])))
    }
    for directory in directories where access(directory + "/exporter-merger", X_OK) == 0 {
      return directory + "/exporter-merger"
    }
    throw LocalServersError(
      .missingExecutable, "exporter-merger is in none of \(directories): build the tests first")
  }

  private static func linkTarget(_ path: String) -> String? {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink(path, &buffer, buffer.count)
    let bytes = buffer.prefix(max(count, 0)).map(UInt8.init(bitPattern:))
    return count > 0 ? String(decoding: bytes, as: UTF8.self) : nil
  }

  private static func parent(_ path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
  }
}
