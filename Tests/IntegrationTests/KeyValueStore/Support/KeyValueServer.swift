import AsyncHTTPClient
import Glibc
import LocalKubelet
import LocalServers
import NIOCore
import NIOHTTP1

/// The real http-kvs on this machine.
struct KeyValueServer: Sendable {
  let process: LocalProcess
  let port: Int
  let monitorPort: Int
  /// Where its values are, as `--store` takes it.
  let store: String

  var url: String { "http://127.0.0.1:\(port)" }

  /// Its value of a field of `/proc/<pid>/status` that is in KiB, in MiB.
  func memory(_ field: String) throws -> Double {
    guard let identifier = process.processIdentifier,
      let file = fopen("/proc/\(identifier)/status", "r")
    else { throw LocalServersError(.ended, "http-kvs is gone") }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 8192)
    let count = fread(&bytes, 1, bytes.count, file)
    for line in String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n")
    where line.hasPrefix(field + ":") {
      let words = line.split { $0 == " " || $0 == "\t" }
      if words.count > 1, let size = Double(words[1]) { return size / 1024 }
    }
    throw LocalServersError(.system, "there is no \(field)")
  }

  func metrics() async throws -> Exposition {
    try Exposition(
      try await HTTPClient.shared.get("http://127.0.0.1:\(monitorPort)/metrics").text)
  }

  /// Sends a request with the shared client.
  func send(
    _ method: HTTPMethod, _ path: String, _ body: String? = nil, _ headers: HTTPHeaders = [:]
  ) async throws -> Reply {
    var request = HTTPClientRequest(url: url + path)
    request.method = method
    request.headers = headers
    if let body { request.body = .bytes(ByteBuffer(string: body)) }
    return try await HTTPClient.shared.send(request)
  }
}

extension LocalProcesses {
  /// Starts http-kvs; returns once it serves.
  ///
  /// - Parameter store: nil: a directory of its own.
  func startKeyValueServer(
    _ arguments: [String] = [], store: String? = nil, environment: [String: String] = [:]
  ) async throws -> KeyValueServer {
    let (port, monitorPort) = (try FreePort.next(), try FreePort.next())
    let store = try store ?? newDirectory("values")
    let process = try await start(
      LocalProcess.Command(
        name: "http-kvs", executable: try KeyValueServer.executable,
        arguments: [
          "--address", "127.0.0.1:\(port)", "--monitor-address", "127.0.0.1:\(monitorPort)",
          "--store", store,
        ] + arguments, environment: environment))
    try await withDeadline(.seconds(30), "http-kvs serves") {
      try await process.line(containing: "Serving")
    }
    let server = KeyValueServer(
      process: process, port: port, monitorPort: monitorPort, store: store)
    try await eventually("http-kvs is ready") {
      (try? await server.send(.GET, "/readyz"))?.status == 200 ? true : nil
    }
    return server
  }
}

extension KeyValueServer {
  /// Beside the hooks.
  static var executable: String {
    get throws {
      let hook = try HookExecutables.built()[.exactlyOne]
      return hook.prefix(upTo: hook.lastIndex(of: "/") ?? hook.startIndex) + "/http-kvs"
    }
  }
}

/// Runs `body` with an http-kvs of its own.
func withKeyValueServer<Result: Sendable>(
  _ arguments: String..., body: (KeyValueServer, LocalProcesses) async throws -> Result
) async throws -> Result {
  try await withLocalProcesses { processes in
    try await body(processes.startKeyValueServer(arguments), processes)
  }
}
