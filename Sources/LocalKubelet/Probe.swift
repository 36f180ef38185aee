import AsyncHTTPClient
import JSON
import LocalServers
import NIOCore
import NIOHTTP1

/// How a kubelet finds out whether a container has started.
enum Probe: Sendable, Hashable {
  case http(path: String, port: Int)
  case exec([String])

  init?(_ probe: JSONValue) {
    if let get = probe["httpGet"], let path = get["path"]?.string, let port = get["port"]?.integer {
      self = .http(path: path, port: port)
    } else if let command = probe["exec"]?["command"]?.array {
      self = .exec(command.compactMap(\.string))
    } else {
      return nil
    }
  }

  /// The same probe, if it asks the port `old`, at the port `new`.
  func moved(from old: Int, to new: Int) -> Probe {
    if case .http(let path, old) = self { .http(path: path, port: new) } else { self }
  }

  var port: Int? {
    if case .http(_, let port) = self { port } else { nil }
  }

  /// Probes once; one second at most, as Kubernetes does by default. One of the `executables` stands
  /// for the first word of an exec probe, which is a path in the sidecar's image.
  func succeeds(
    with client: HTTPClient, executables: HookExecutables, in processes: LocalProcesses
  ) async -> Bool {
    switch self {
    case .http(let path, let port):
      let request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
      let response = try? await client.execute(request, timeout: .seconds(1))
      return response.map { (200..<400).contains($0.status.code) } ?? false
    case .exec(let command):
      guard let program = command.first.flatMap(HookProgram.init(naming:)) else { return false }
      let process = try? await processes.start(
        LocalProcess.Command(
          name: "probe", executable: executables[program], arguments: Array(command.dropFirst())))
      let status = try? await withDeadline(.seconds(1), "the probe ends") {
        try await process?.waitForExit()
      }
      if status == nil { process?.signal(.kill) }
      return status == .exited(0)
    }
  }
}
