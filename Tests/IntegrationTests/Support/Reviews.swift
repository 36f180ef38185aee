import AsyncHTTPClient
import JSON
import NIOCore
import NIOHTTP1
import NIOSSL

/// An AdmissionReview of the creation of a Pod.
func review(_ pod: JSONValue, uid: String = "705ab4f5-6393-11e8-b7cc-42010a800002") -> JSONValue {
  let kind: JSONValue = ["group": "", "version": "v1", "kind": "Pod"]
  return [
    "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1",
    "request": [
      "uid": .string(uid), "kind": kind,
      "resource": ["group": "", "version": "v1", "resource": "pods"],
      "name": pod["metadata"]?["name"] ?? .null,
      "namespace": pod["metadata"]?["namespace"] ?? "default", "operation": "CREATE",
      "userInfo": ["username": "admin"], "object": pod, "oldObject": .null, "dryRun": false,
      "options": ["kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"],
    ],
  ]
}

/// What a server answered.
struct Reply: Sendable {
  let status: UInt
  let version: HTTPVersion
  let headers: HTTPHeaders
  let body: [UInt8]

  var text: String { String(decoding: body, as: UTF8.self) }
  /// The `response` of an AdmissionReview.
  var response: JSONValue? { (try? JSONValue(parsing: body))?["response"] }
}

extension HTTPClient {
  func send(_ request: HTTPClientRequest, timeout: TimeAmount = .seconds(30)) async throws -> Reply
  {
    let response = try await execute(request, deadline: .now() + timeout)
    let body = try await response.body.collect(upTo: 16 << 20)
    return Reply(
      status: response.status.code, version: response.version, headers: response.headers,
      body: Array(body.readableBytesView))
  }

  func get(_ url: String, timeout: TimeAmount = .seconds(30)) async throws -> Reply {
    try await send(HTTPClientRequest(url: url), timeout: timeout)
  }

  func post(
    _ url: String, _ body: [UInt8], type: String? = "application/json", isChunked: Bool = false,
    timeout: TimeAmount = .seconds(30)
  ) async throws -> Reply {
    var request = HTTPClientRequest(url: url)
    request.method = .POST
    if let type { request.headers.add(name: "content-type", value: type) }
    request.body =
      isChunked ? .bytes(body, length: .unknown) : .bytes(ByteBuffer(bytes: body))
    return try await send(request, timeout: timeout)
  }
}

/// Runs `body` with a client that trusts an authority.
///
/// - Parameter identity: the client's own certificate and key as PEM texts.
func withClient<Result: Sendable>(
  trusting authorityPath: String, identity: (certificate: String, key: String)? = nil,
  connections: Int = 8, _ body: (HTTPClient) async throws -> Result
) async throws -> Result {
  var tls = TLSConfiguration.makeClientConfiguration()
  tls.trustRoots = .file(authorityPath)
  if let identity {
    tls.certificateChain = try NIOSSLCertificate.fromPEMBytes(Array(identity.certificate.utf8))
      .map { .certificate($0) }
    tls.privateKey = .privateKey(
      try NIOSSLPrivateKey(bytes: Array(identity.key.utf8), format: .pem))
  }
  var configuration = HTTPClient.Configuration(tlsConfiguration: tls)
  configuration.timeout.connect = .seconds(10)
  configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connections
  configuration.connectionPool.retryConnectionEstablishment = false
  return try await HTTPClient.withHTTPClient(configuration: configuration, body)
}
