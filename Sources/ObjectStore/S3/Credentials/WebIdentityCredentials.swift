import HTTPUpstream
import NIOCore
import NIOHTTP1
import URIEncoding

/// A role of the Pod's service account (IRSA): the token in `AWS_WEB_IDENTITY_TOKEN_FILE` is given to
/// STS for credentials of `AWS_ROLE_ARN`.
///
/// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
struct WebIdentityCredentials: AWSCredentialSource {
  let name = "web identity"
  let environment: AWSEnvironment
  let service: CredentialService

  func fetch() async throws(AWSCredentialError) -> AWSCredentials? {
    guard let file = environment["AWS_WEB_IDENTITY_TOKEN_FILE"] else { return nil }
    guard let role = environment["AWS_ROLE_ARN"] else {
      throw AWSCredentialError("AWS_WEB_IDENTITY_TOKEN_FILE is set, and AWS_ROLE_ARN is not")
    }
    return try await Self.fetch(
      role: role, tokenFile: file, session: environment["AWS_ROLE_SESSION_NAME"],
      environment: environment, service: service)
  }

  /// - Parameter tokenFile: read each time, since the kubelet replaces it.
  static func fetch(
    role: String, tokenFile: String, session: String?, environment: AWSEnvironment,
    service: CredentialService
  ) async throws(AWSCredentialError) -> AWSCredentials {
    guard let token = try read(tokenFile) else {
      throw AWSCredentialError("the web identity token \(tokenFile) is not there")
    }
    let (origin, path) = try endpoint(environment)
    let fields = [
      ("Action", "AssumeRoleWithWebIdentity"), ("Version", "2011-06-15"), ("RoleArn", role),
      ("RoleSessionName", session ?? "http-kvs"), ("WebIdentityToken", token),
    ]
    let form = fields.map { "\($0)=\(PercentEncoding.encode($1))" }.joined(separator: "&")
    let answer = try await service.ask(
      origin,
      HTTPUpstreamRequest(
        .POST, path + "/",
        headers: ["Content-Type": "application/x-www-form-urlencoded", "Accept": "text/xml"],
        body: .bytes([ByteBuffer(string: form)]), isRepeatable: true), place: "STS at \(origin)")
    return try read(answer.body, status: answer.status, origin: origin, role: role)
  }

  private static func read(_ file: String) throws(AWSCredentialError) -> String? {
    do throws(SmallTextFile.Failure) {
      return try SmallTextFile.read(file)?.trimmingSpace()
    } catch {
      throw AWSCredentialError("the web identity token cannot be read", cause: error)
    }
  }

  private static func endpoint(
    _ environment: AWSEnvironment
  ) throws(AWSCredentialError) -> (HTTPOrigin, String) {
    let address =
      environment["AWS_ENDPOINT_URL_STS"] ?? environment["AWS_ENDPOINT_URL"]
      ?? environment.region.map { region in
        "https://sts.\(region).amazonaws.com\(region.hasPrefix("cn-") ? ".cn" : "")"
      } ?? "https://sts.amazonaws.com"
    guard let (origin, path) = HTTPOrigin.parse(address) else {
      throw AWSCredentialError("AWS_ENDPOINT_URL_STS is no http:// or https:// address")
    }
    return (origin, path)
  }

  private static func read(
    _ body: [UInt8], status: Int, origin: HTTPOrigin, role: String
  ) throws(AWSCredentialError) -> AWSCredentials {
    let fields = try? XMLFields(body)
    let path = "AssumeRoleWithWebIdentityResult/Credentials"
    guard status == 200, let fields, let id = fields["\(path)/AccessKeyId"],
      let secret = fields["\(path)/SecretAccessKey"], let token = fields["\(path)/SessionToken"],
      let expires = fields["\(path)/Expiration"].flatMap(UTCTime.init(rfc3339:))
    else {
      let code = fields?["Error/Code"] ?? "status \(status)"
      throw AWSCredentialError(
        "STS at \(origin) did not give the role \(role): \(code.prefix(100))")
    }
    return AWSCredentials(
      accessKeyID: id, secretAccessKey: secret, sessionToken: token,
      expires: expires.secondsSince1970)
  }
}
