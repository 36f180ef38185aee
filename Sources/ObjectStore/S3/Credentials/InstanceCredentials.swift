import HTTPUpstream
import NIOCore
import NIOHTTP1
import URIEncoding

/// The role of the machine, from the instance metadata service, version 2.
///
/// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
struct InstanceCredentials: AWSCredentialSource {
  let name = "instance metadata"
  let environment: AWSEnvironment
  let service: CredentialService

  private static let path = "/latest/meta-data/iam/security-credentials/"

  func fetch() async throws(AWSCredentialError) -> AWSCredentials? {
    if environment["AWS_EC2_METADATA_DISABLED"]?.lowercased() == "true" { return nil }
    let address =
      environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"]
      ?? (environment["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"]?.lowercased() == "ipv6"
        ? "http://[fd00:ec2::254]" : "http://169.254.169.254")
    guard let (origin, base) = HTTPOrigin.parse(address) else {
      throw AWSCredentialError("AWS_EC2_METADATA_SERVICE_ENDPOINT is no http(s):// address")
    }
    let place = "the instance metadata service at \(origin)"
    let token: [UInt8]
    do throws(AWSCredentialError) {
      let answer = try await service.ask(
        origin,
        HTTPUpstreamRequest(
          .PUT, "\(base)/latest/api/token",
          headers: ["X-aws-ec2-metadata-token-ttl-seconds": "21600"]), place: place, attempts: 2)
      // Something else lives at that address.
      guard answer.status == 200 else { return nil }
      token = answer.body
    } catch {
      // Not on such a machine.
      return nil
    }
    let field = String(decoding: token.filter { $0 > 0x20 && $0 < 0x7f }, as: UTF8.self)
    let headers: HTTPHeaders = ["X-aws-ec2-metadata-token": field]
    let roles = try await service.ask(
      origin, HTTPUpstreamRequest(.GET, base + Self.path, headers: headers), place: place)
    // The machine has no role.
    if roles.status == 404 { return nil }
    guard roles.status == 200,
      let role = String(decoding: roles.body, as: UTF8.self)
        .split(whereSeparator: \.isNewline).first.map({ String($0).trimmingSpace() })
    else { throw AWSCredentialError("\(place) names no role: status \(roles.status)") }
    let answer = try await service.ask(
      origin,
      HTTPUpstreamRequest(
        .GET, base + Self.path + PercentEncoding.encode(role), headers: headers), place: place)
    guard answer.status == 200 else {
      throw AWSCredentialError("\(place) refused the role \(role): status \(answer.status)")
    }
    return try CredentialService.parse(answer.body, place: place)
  }
}
