import Glibc
import NIOHTTP1
import NIOPosix
import Testing

@testable import ObjectStore

@Suite("S3: credentials as the SDKs find them")
struct CredentialChainTests {
  private func fetch(_ variables: [String: String]) async throws -> AWSCredentials? {
    // No machine of this name hands out roles.
    var variables = variables
    if variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] == nil {
      variables["AWS_EC2_METADATA_DISABLED"] = "true"
    }
    return try await CredentialChain(
      AWSEnvironment(variables), eventLoopGroup: MultiThreadedEventLoopGroup.singleton
    ).fetch()
  }

  private func write(_ text: String, to path: String) throws {
    let file = try #require(fopen(path, "w"))
    defer { fclose(file) }
    fputs(text, file)
  }

  private static let json = """
    {"Code": "Success", "AccessKeyId": "ID", "SecretAccessKey": "SECRET", "Token": "TOKEN",
    "Expiration": "2030-01-01T00:00:00Z"}
    """
  private static let fetched = AWSCredentials(
    accessKeyID: "ID", secretAccessKey: "SECRET", sessionToken: "TOKEN", expires: 1_893_456_000)

  @Test("The environment goes first, with its session token")
  func environment() async throws {
    var variables = ["AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "B"]
    var expected = AWSCredentials(accessKeyID: "A", secretAccessKey: "B")
    variables["AWS_PROFILE"] = "none"
    #expect(try await fetch(variables) == expected)
    variables["AWS_SESSION_TOKEN"] = "C"
    expected.sessionToken = "C"
    #expect(try await fetch(variables) == expected)
    variables["AWS_SECRET_ACCESS_KEY"] = ""
    await #expect(throws: AWSCredentialError.self) { _ = try await fetch(variables) }
    await #expect(throws: AWSCredentialError.self) { _ = try await fetch([:]) }
    #expect("\(expected) \(String(reflecting: expected))" == "(redacted) (redacted)")
  }

  @Test("Profiles of the shared files")
  func profiles() async throws {
    try await withTemporaryDirectory { directory in
      let (config, credentials) = ("\(directory)/config", "\(directory)/credentials")
      try write(
        """
        # a comment
        [default]
        region = eu-central-1
        aws_access_key_id = from-config
        s3 =
          max_concurrent_requests = 20
        [profile other]
        aws_access_key_id=OTHER ; a comment
        aws_secret_access_key=with#hash=
        [profile sso]
        sso_session = x
        [ignored]
        aws_access_key_id = no
        """, to: config)
      try write(
        "[default]\naws_access_key_id = D\naws_secret_access_key = E\naws_session_token=F\n",
        to: credentials)
      var variables = ["AWS_CONFIG_FILE": config, "AWS_SHARED_CREDENTIALS_FILE": credentials]
      #expect(
        try await fetch(variables)
          == AWSCredentials(accessKeyID: "D", secretAccessKey: "E", sessionToken: "F"))
      #expect(try AWSProfile(AWSEnvironment(variables)).settings?["region"] == "eu-central-1")
      variables["AWS_PROFILE"] = "other"
      #expect(
        try await fetch(variables)
          == AWSCredentials(accessKeyID: "OTHER", secretAccessKey: "with#hash="))
      for wrong in ["sso", "ignored", "nobody"] {
        variables["AWS_PROFILE"] = wrong
        await #expect(throws: AWSCredentialError.self) { _ = try await fetch(variables) }
      }
    }
  }

  @Test("A web identity is given to STS, the token as it is at that moment")
  func webIdentity() async throws {
    let answer = """
      <AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
      <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ID</AccessKeyId>
      <SecretAccessKey>SECRET</SecretAccessKey><SessionToken>TOKEN</SessionToken>
      <Expiration>2030-01-01T00:00:00Z</Expiration></Credentials>
      </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>
      """
    try await withTemporaryDirectory { directory in
      try await CredentialServer.with { request in
        // What STS itself looks at.
        guard request.method == "POST", request.target == "/",
          request.headers.first(name: "content-type") == "application/x-www-form-urlencoded",
          request.body.contains("Action=AssumeRoleWithWebIdentity&Version=2011-06-15&"),
          request.body.contains("RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fr&"),
          request.body.hasSuffix("WebIdentityToken=new.token%2B%3D")
        else {
          return (
            403, "<ErrorResponse><Error><Code>InvalidIdentityToken</Code></Error></ErrorResponse>"
          )
        }
        return (200, answer)
      } _: { server in
        let variables = [
          "AWS_WEB_IDENTITY_TOKEN_FILE": "\(directory)/token",
          "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/r",
          "AWS_ENDPOINT_URL_STS": server.endpoint,
        ]
        await #expect(throws: AWSCredentialError.self) { _ = try await fetch(variables) }
        try write("old\n", to: "\(directory)/token")
        do {
          _ = try await fetch(variables)
          Issue.record("a wrong token was taken")
        } catch let error as AWSCredentialError {
          #expect(error.description.contains("InvalidIdentityToken"))
          #expect(!error.description.contains("old"))
        }
        try write("new.token+=\n", to: "\(directory)/token")
        let credentials = try await fetch(variables)
        #expect(credentials == Self.fetched)
      }
    }
  }

  @Test("A container's service gets its token, and only a host that may have it")
  func container() async throws {
    try await withTemporaryDirectory { directory in
      try write("pod-token\n", to: "\(directory)/token")
      try await CredentialServer.with { request in
        request.headers.first(name: "authorization") == "pod-token"
          && request.target == "/v1/credentials?x=y" ? (200, Self.json) : (401, "{}")
      } _: { server in
        var variables = [
          "AWS_CONTAINER_CREDENTIALS_FULL_URI": "\(server.endpoint)/v1/credentials?x=y",
          "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "\(directory)/token",
          "AWS_CONTAINER_AUTHORIZATION_TOKEN": "other",
        ]
        let credentials = try await fetch(variables)
        #expect(credentials == Self.fetched)
        variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = nil
        await #expect(throws: AWSCredentialError.self) { _ = try await fetch(variables) }
        variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "pod-token\r\nX: y"
        await #expect(throws: AWSCredentialError.self) { _ = try await fetch(variables) }
        let asked = server.requests.count
        for host in ["10.0.0.1", "example.com", "127.0.0.1.example.com", "169.254.170.22"] {
          variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://\(host)/"
          do {
            _ = try await fetch(variables)
            Issue.record("\(host) was asked")
          } catch let error as AWSCredentialError {
            #expect(
              error.description.contains("host \(host)") || error.description.contains("line"))
          }
        }
        #expect(server.requests.count == asked)
      }
    }
  }

  @Test("The instance metadata service is asked as its version 2 wants it")
  func instance() async throws {
    try await CredentialServer.with { request in
      let role = "/latest/meta-data/iam/security-credentials/"
      if request.method == "PUT", request.target == "/latest/api/token" {
        let seconds = request.headers.first(name: "x-aws-ec2-metadata-token-ttl-seconds")
        return seconds.flatMap { Int($0) } == nil ? (400, "") : (200, "session")
      }
      guard request.headers.first(name: "x-aws-ec2-metadata-token") == "session" else {
        return (401, "")
      }
      switch request.target {
      case role: return (200, "my-role")
      case role + "my-role": return (200, Self.json)
      default: return (404, "")
      }
    } _: { server in
      let credentials = try await fetch(["AWS_EC2_METADATA_SERVICE_ENDPOINT": server.endpoint])
      #expect(credentials == Self.fetched)
    }
  }
}
