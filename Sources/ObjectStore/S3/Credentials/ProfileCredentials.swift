/// A profile of the shared files: keys, or a role to take with a web identity.
struct ProfileCredentials: AWSCredentialSource {
  let environment: AWSEnvironment
  let service: CredentialService

  var name: String { "profile" }

  func fetch() async throws(AWSCredentialError) -> AWSCredentials? {
    let profile = try AWSProfile(environment)
    guard let settings = profile.settings else {
      // Only a profile that somebody asked for is missed.
      guard environment["AWS_PROFILE"] != nil else { return nil }
      throw AWSCredentialError("no shared file of AWS's settings has a profile \(profile.name)")
    }
    switch (settings["aws_access_key_id"], settings["aws_secret_access_key"]) {
    case (let id?, let secret?):
      return AWSCredentials(
        accessKeyID: id, secretAccessKey: secret, sessionToken: settings["aws_session_token"])
    case (nil, nil): break
    default:
      throw AWSCredentialError(
        "profile \(profile.name) has only one of aws_access_key_id and aws_secret_access_key")
    }
    if let role = settings["role_arn"], let file = settings["web_identity_token_file"] {
      return try await WebIdentityCredentials.fetch(
        role: role, tokenFile: file, session: settings["role_session_name"],
        environment: environment, service: service)
    }
    let others = ["role_arn", "sso_session", "sso_start_url", "credential_process"]
    if let unknown = others.first(where: { settings[$0] != nil }) {
      throw AWSCredentialError(
        "profile \(profile.name) gets its credentials by \(unknown), which is not supported here: "
          + "use keys, or a role with web_identity_token_file")
    }
    return nil
  }
}
