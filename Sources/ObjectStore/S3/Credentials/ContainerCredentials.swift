import HTTPUpstream
import NIOCore
import NIOHTTP1

/// What the platform of a container hands out: ECS, and EKS Pod Identity.
///
/// https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
struct ContainerCredentials: AWSCredentialSource {
  let name = "container"
  let environment: AWSEnvironment
  let service: CredentialService

  /// Of ECS, and of EKS for both families: other hosts get no token in plain text.
  private static let trustedHosts = [
    "169.254.170.2", "169.254.170.23", "fd00:ec2::23", "localhost",
  ]

  func fetch() async throws(AWSCredentialError) -> AWSCredentials? {
    guard let (origin, target) = try address() else { return nil }
    var headers = HTTPHeaders()
    headers.add(name: "Accept", value: "application/json")
    if let token = try token() { headers.add(name: "Authorization", value: token) }
    let place = "the credentials service of the container at \(origin)"
    let answer = try await service.ask(
      origin, HTTPUpstreamRequest(.GET, target, headers: headers), place: place)
    guard answer.status == 200 else {
      throw AWSCredentialError("\(place) refused: status \(answer.status)")
    }
    return try CredentialService.parse(answer.body, place: place)
  }

  private func address() throws(AWSCredentialError) -> (HTTPOrigin, String)? {
    if let path = environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] {
      guard path.hasPrefix("/"), path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
        throw AWSCredentialError("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is no path")
      }
      return (HTTPOrigin(usesTLS: false, host: "169.254.170.2"), path)
    }
    guard let address = environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] else { return nil }
    let parts = address.split(separator: "?", maxSplits: 1)
    guard let first = parts.first, let (origin, path) = HTTPOrigin.parse(String(first)) else {
      throw AWSCredentialError("AWS_CONTAINER_CREDENTIALS_FULL_URI is no http(s):// address")
    }
    guard origin.usesTLS || Self.isTrusted(origin.host) else {
      throw AWSCredentialError(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI names the host \(origin.host): without TLS only "
          + "loopback and the services of ECS and EKS are asked")
    }
    let query = parts.count == 2 ? "?\(parts[1])" : ""
    // A slash at the end of the path counts.
    let slash = first.hasSuffix("/") || path.isEmpty ? "/" : ""
    return (origin, path + slash + query)
  }

  private static func isTrusted(_ host: String) -> Bool {
    if trustedHosts.contains(host) || host == "::1" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }

  private func token() throws(AWSCredentialError) -> String? {
    var token = environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
    if let file = environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] {
      do throws(SmallTextFile.Failure) {
        token = try SmallTextFile.read(file)?.trimmingSpace()
      } catch {
        throw AWSCredentialError("the container's token cannot be read", cause: error)
      }
      if token == nil { throw AWSCredentialError("the container's token \(file) is not there") }
    }
    if let token, token.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) {
      throw AWSCredentialError("the container's token is no header field: it has a line break")
    }
    return token
  }
}
