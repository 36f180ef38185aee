package import NIOCore

/// Looks where AWS's SDKs look, in their order, and takes the first that is there: environment,
/// shared files, web identity, container, instance metadata.
///
/// https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
package struct CredentialChain: AWSCredentialSource {
  package let name = "chain"
  private let sources: [any AWSCredentialSource]

  package init(_ environment: AWSEnvironment, eventLoopGroup: any EventLoopGroup) {
    let service = CredentialService(
      eventLoopGroup: eventLoopGroup, authorityFile: environment["AWS_CA_BUNDLE"])
    sources = [
      EnvironmentCredentials(environment: environment),
      ProfileCredentials(environment: environment, service: service),
      WebIdentityCredentials(environment: environment, service: service),
      ContainerCredentials(environment: environment, service: service),
      InstanceCredentials(environment: environment, service: service),
    ]
  }

  package func fetch() async throws(AWSCredentialError) -> AWSCredentials? {
    for source in sources {
      if let credentials = try await source.fetch() { return credentials }
    }
    let places = sources.map(\.name).joined(separator: ", ")
    throw AWSCredentialError(
      "no credentials: looked in \(places). Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
        + "give the Pod a role")
  }
}
