import AsyncHTTPClient
import Glibc
import LocalServers
import NIOHTTP1
import Testing

/// Who may do what.
@Suite struct KeyValueAccessTests {
  private static let tokens = """
    {"tokens": [
      {"token": "reader", "prefix": "a/", "rights": ["read"]},
      {"token": "writer", "prefix": "a/", "rights": ["write"]},
      {"token": "lister", "prefix": "a/", "rights": ["list"]},
      {"token": "owner", "rights": ["read", "write", "list"]}
    ]}
    """

  /// Replaces a file as editors and Kubernetes do: by renaming another.
  private func write(_ text: String, to path: String) throws {
    let file = try #require(fopen(path + ".new", "w"))
    fputs(text, file)
    fclose(file)
    try #require(rename(path + ".new", path) == 0)
  }

  private func bearer(_ token: String) -> HTTPHeaders { ["authorization": "Bearer \(token)"] }

  /// Runs `body` with a server and the path of its tokens file.
  private func withTokens(_ body: (KeyValueServer, String) async throws -> Void) async throws {
    try await withLocalProcesses { processes in
      let path = "\(processes.directory)/tokens.json"
      try write(Self.tokens, to: path)
      try await body(try await processes.startKeyValueServer(["--tokens-file", path]), path)
    }
  }

  @Test func rightsAreForVerbsAndPrefixes() async throws {
    try await withTokens { server, _ in
      let put = HTTPMethod.PUT
      let cases: [(HTTPMethod, String, String?, UInt)] = [
        (put, "/a/v", "owner", 200), (put, "/b/v", "owner", 200), (put, "/a/v", nil, 401),
        (put, "/a/v", "nobody", 401), (put, "/a/v", "reader", 403), (put, "/a/v", "lister", 403),
        (put, "/a/v", "writer", 200), (put, "/b/v", "writer", 403), (put, "/a", "writer", 403),
        (.POST, "/a/v", "reader", 403), (.DELETE, "/a/v", "reader", 403),
        (.GET, "/a/v", "reader", 200), (.HEAD, "/a/v", "reader", 200),
        (.GET, "/b/v", "reader", 403),
        (.GET, "/a/none", "reader", 404), (.GET, "/b/none", "reader", 403),
        (.GET, "/a/v", "writer", 403), (.GET, "/a/v", nil, 401), (.HEAD, "/a/v", nil, 401),
        (.GET, "/?prefix=a/", "lister", 200), (.GET, "/?prefix=a/b", "lister", 200),
        (.GET, "/?prefix=", "lister", 403), (.GET, "/?prefix=a", "lister", 403),
        (.GET, "/?prefix=a/", "reader", 403), (.GET, "/?prefix=", "owner", 200),
        (.GET, "/healthz", nil, 200), (.GET, "/readyz", nil, 200), (.OPTIONS, "/a/v", nil, 204),
        (.DELETE, "/a/v", "writer", 200),
      ]
      for (method, path, token, status) in cases {
        let reply = try await server.send(
          method, path, method == put || method == .POST ? "x" : nil, token.map(bearer) ?? [:])
        #expect(reply.status == status, "\(method) \(path) \(token ?? "-")")
        if status == 401 {
          #expect(reply.headers.first(name: "www-authenticate")?.hasPrefix("Bearer ") == true)
        }
      }
      let basic = try await server.send(.GET, "/a/v", nil, ["authorization": "Basic b3duZXI="])
      #expect(basic.status == 401)
      let log = server.process.output.joined()
      for token in ["owner", "writer", "reader", "lister"] { #expect(!log.contains(token)) }
    }
  }

  @Test func theFileIsReadAgainWhenItChanges() async throws {
    try await withTokens { server, path in
      _ = try await server.send(.PUT, "/a/v", "x", bearer("owner"))
      #expect(try await server.send(.GET, "/a/v", nil, bearer("new")).status == 401)
      let next = #"{"tokens": [{"token": "new", "rights": ["read"]}]}"#
      try write(next, to: path)
      // Known from the first use on.
      #expect(try await server.send(.GET, "/a/v", nil, bearer("new")).status == 200)
      #expect(try await server.send(.GET, "/a/v", nil, bearer("owner")).status == 401)
      // One that cannot be used changes nothing.
      try write("{", to: path)
      try await server.process.line(containing: "cannot be used")
      #expect(try await server.send(.GET, "/a/v", nil, bearer("new")).status == 200)
      try write(#"{"tokens": []}"#, to: path)
      try await eventually("the token is not known any more") {
        let headers: HTTPHeaders = ["authorization": "Bearer new"]
        return try await server.send(.GET, "/a/v", nil, headers).status == 401 ? true : nil
      }
    }
  }

  @Test func aProxyCanVouchForItsRequests() async throws {
    try await withKeyValueServer("--trust-header", "X-User") { server, _ async throws in
      #expect(try await server.send(.PUT, "/v", "x").status == 401)
      #expect(try await server.send(.PUT, "/v", "x", ["x-user": ""]).status == 401)
      #expect(try await server.send(.PUT, "/v", "x", ["x-user": "ada"]).status == 200)
    }
  }

  @Test func withoutARuleItServesThisMachineOnly() async throws {
    try await withLocalProcesses { processes in
      let process = try await processes.start(
        LocalProcess.Command(
          name: "http-kvs", executable: try KeyValueServer.executable,
          arguments: ["--address", "0.0.0.0:\(try FreePort.next())", "--store", "memory:"]))
      let status = try await withDeadline(.seconds(30), "it refuses") {
        try await process.waitForExit()
      }
      #expect(status == .exited(64))
      #expect(process.output.joined().contains("--allow-anonymous"))
    }
  }
}
