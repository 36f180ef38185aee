import AdmissionReview
import AsyncHTTPClient
import FoundationEssentials
package import JSON
import NIOCore
import NIOHTTP1

/// The API server's side of admission: asks a webhook about a Pod and applies its patch.
package struct AdmissionClient: Sendable {
  package enum Verdict: Sendable {
    /// The Pod as it will be stored, and what kubectl prints as warnings.
    case allowed(JSONValue, warnings: [String])
    case refused(PodRefusal)
  }

  /// `https://127.0.0.1:9443/mutate`, once for each replica. Every request goes to any of them, as a
  /// Service spreads connections.
  let addresses: [String]
  /// `timeoutSeconds` of the webhook's configuration.
  let timeoutSeconds: Int
  let client: HTTPClient

  /// Asks the webhook about the creation of `pod`.
  ///
  /// - Throws: ``LocalKubeletError`` (`webhook`) where the API server would fail the request
  ///   (`failurePolicy: Fail`): no answer in time, or one that is not an admission review.
  package func review(_ pod: JSONValue, dryRun: Bool = false) async throws -> Verdict {
    let uid = RandomName.uid()
    let address = addresses.randomElement() ?? ""
    var request = HTTPClientRequest(url: "\(address)?timeout=\(timeoutSeconds)s")
    request.method = .POST
    request.headers.add(name: "content-type", value: "application/json")
    request.headers.add(name: "accept", value: "application/json, */*")
    request.body = .bytes(
      ByteBuffer(bytes: Self.makeReview(uid: uid, pod: pod, dryRun: dryRun).encoded))
    let status: UInt
    let body: ByteBuffer
    do {
      let response = try await client.execute(request, timeout: .seconds(Int64(timeoutSeconds)))
      status = response.status.code
      body = try await response.body.collect(upTo: 16 << 20)
    } catch {
      try Task.checkCancellation()
      throw LocalKubeletError(.webhook, "the webhook did not answer: \(error)")
    }
    guard status == 200 else {
      throw LocalKubeletError(
        .webhook, "the webhook answered \(status): \(String(buffer: body).prefix(500))")
    }
    return try verdict(in: Array(body.readableBytesView), uid: uid, pod: pod)
  }

  private func verdict(in body: [UInt8], uid: String, pod: JSONValue) throws -> Verdict {
    guard let response = try JSONValue(parsing: body)["response"],
      response["uid"]?.string == uid, let allowed = response["allowed"]?.bool
    else {
      throw LocalKubeletError(
        .webhook, "not an admission review of \(uid): \(String(decoding: body, as: UTF8.self))")
    }
    guard allowed else {
      return .refused(
        PodRefusal(
          code: response["status"]?["code"]?.integer ?? 400,
          message: response["status"]?["message"]?.string ?? "denied without a message"))
    }
    let warnings = response["warnings"]?.array?.compactMap(\.string) ?? []
    guard let encoded = response["patch"]?.string else { return .allowed(pod, warnings: warnings) }
    guard response["patchType"]?.string == "JSONPatch", let patch = Data(base64Encoded: encoded)
    else {
      throw LocalKubeletError(.webhook, "the patch is not a base64 encoded JSONPatch")
    }
    let patched = try JSONPatch.apply(JSONValue(parsing: Array(patch)), to: pod)
    return .allowed(patched, warnings: warnings)
  }

  private static func makeReview(uid: String, pod: JSONValue, dryRun: Bool) -> JSONValue {
    let kind: JSONValue = ["group": "", "version": "v1", "kind": "Pod"]
    let resource: JSONValue = ["group": "", "version": "v1", "resource": "pods"]
    var request: JSONValue = [
      "uid": .string(uid), "kind": kind, "resource": resource, "requestKind": kind,
      "requestResource": resource,
    ]
    if let name = pod["metadata"]?["name"] { request["name"] = name }
    request["namespace"] = pod["metadata"]?["namespace"] ?? "default"
    request["operation"] = "CREATE"
    request["userInfo"] = ["username": "admin", "groups": ["system:masters"]]
    request["object"] = pod
    request["oldObject"] = .null
    request["dryRun"] = .bool(dryRun)
    request["options"] = ["kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"]
    return ["kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request]
  }
}
