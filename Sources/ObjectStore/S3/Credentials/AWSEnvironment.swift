import Glibc

/// The variables that AWS's own tools read.
package struct AWSEnvironment: Sendable {
  private let read: @Sendable (String) -> String?

  package init(_ variables: [String: String]) { read = { variables[$0] } }

  private init(reading read: @escaping @Sendable (String) -> String?) { self.read = read }

  /// The process's own. Nothing in this process changes it.
  package static let process = AWSEnvironment(reading: { name in
    getenv(name).map { String(cString: $0) }
  })

  /// Nil also for a variable that is empty, as AWS's tools have it.
  package subscript(name: String) -> String? {
    read(name).flatMap { $0.isEmpty ? nil : $0 }
  }

  var region: String? { self["AWS_REGION"] ?? self["AWS_DEFAULT_REGION"] }
  var profile: String { self["AWS_PROFILE"] ?? self["AWS_DEFAULT_PROFILE"] ?? "default" }
}

/// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`.
struct EnvironmentCredentials: AWSCredentialSource {
  let name = "environment"
  let environment: AWSEnvironment

  func fetch() async throws(AWSCredentialError) -> AWSCredentials? {
    switch (environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]) {
    case (nil, nil): return nil
    case (let id?, let secret?):
      return AWSCredentials(
        accessKeyID: id, secretAccessKey: secret, sessionToken: environment["AWS_SESSION_TOKEN"])
    default:
      throw AWSCredentialError(
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY go together: only one of them is set")
    }
  }
}
