import AsyncHTTPClient
package import JSON
import LocalServers
import NIOCore

/// What a sidecar says about its lock at `GET /lock`.
package struct SidecarLock: Sendable, Hashable {
  package let key: String?
  package let held: Bool
  package let fencingToken: Int?
  /// As the sidecar writes it: RFC 3339, nil while it does not hold the lock.
  package let expiresAt: String?
  /// The whole answer.
  package let answer: JSONValue
}

extension RunningPod {
  /// Asks the sidecar for its lock: the first one, or that of the name `container` in a Pod with
  /// several. Throws ``LocalKubeletError`` (`sidecar`) when it does not answer within two seconds.
  package func lock(of container: String? = nil) async throws -> SidecarLock {
    let sidecar = container ?? containers.first(where: \.isHookSidecar)?.name ?? ""
    guard let port = probePorts[sidecar] else {
      throw LocalKubeletError(.sidecar, "Pod \(name) has no sidecar \(sidecar) on a TCP port")
    }
    do {
      let response = try await kubelet.client.execute(
        HTTPClientRequest(url: "http://127.0.0.1:\(port)/lock"), timeout: .seconds(2))
      let body = try await response.body.collect(upTo: 64 << 10)
      let answer = try JSONValue(parsing: Array(body.readableBytesView))
      return SidecarLock(
        key: answer["key"]?.string, held: answer["held"]?.bool ?? false,
        fencingToken: answer["fencingToken"]?.integer,
        expiresAt: answer["expiresAt"]?.string,
        answer: answer)
    } catch {
      try Task.checkCancellation()
      throw LocalKubeletError(.sidecar, "the sidecar of Pod \(name) does not answer: \(error)")
    }
  }

  /// The path under which the sidecar's gate is probed, such as `/startupz/<id>`; nil without one.
  package var startupPath: String? {
    for container in containers where container.isHookSidecar {
      if case .http(let path, _) = container.startupProbe { return path }
    }
    return nil
  }
}
