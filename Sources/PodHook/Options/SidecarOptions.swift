package import ArgumentParser
import Coordination
package import ServiceKit

/// What the webhook tells every sidecar that it injects.
package struct SidecarOptions: ParsableArguments {
  @Option(help: "restart-all, liveness or none (default: restart-all).")
  package var fence: String?

  @Option(help: "From SIGTERM until the kubelet kills (default: 10).")
  package var terminationGracePeriodSeconds: String?

  @Option(help: "Where probes are answered: host:port or unix:@name (default: the hook's port).")
  package var probeAddress: String?

  @Option(
    help: "A directory of the Pod, for a note to the next sidecar (default: /dev/shm).")
  package var sharedDirectory: String?

  @Flag(help: "The application does not wait for this sidecar: it is an ordinary container.")
  package var ungated = false

  package init() {}

  /// What `--termination-grace-period-seconds` takes.
  static let longestGracePeriod = 31_536_000

  /// The two arguments in front of the options.
  package struct Claim {
    let key: (name: String, value: String)
    let token: (name: String, value: String)

    /// - Parameters: each with the name that the argument has in messages.
    package init(key: (name: String, value: String), token: (name: String, value: String)) {
      self.key = key
      self.token = token
    }
  }

  /// - Parameters:
  ///   - environment: `POD_UID`, `POD_NAME` and `NODE_NAME` from the downward API.
  ///   - now: seconds since 1970.
  package func resolve(
    _ reader: inout OptionReader, claim: Claim, defaultPort: Int,
    environment: [String: String], now: Int
  ) -> (SidecarConfiguration, ListenAddress) {
    let key = NamespacedKey(parsing: claim.key.value)
    if key == nil {
      reader.rejectArgument(
        claim.key.name, value: claim.key.value, allowed: "<namespace>/<key>")
    }
    if claim.token.value.isEmpty || claim.token.value.contains(where: \.isWhitespace) {
      reader.rejectArgument(claim.token.name, value: nil, allowed: "a token without white space")
    }
    let podUID = environment["POD_UID"] ?? ""
    if podUID.isEmpty || podUID.contains(where: \.isWhitespace) {
      reader.rejectVariable(
        "POD_UID", value: nil, allowed: "the UID of the Pod, without white space")
    }
    var configuration = SidecarConfiguration(
      key: key ?? NamespacedKey(namespace: "", key: ""), token: Token(claim.token.value),
      fence: reader.choice("fence", flag: fence, default: Fence.restartAll),
      isGated: !ungated,
      gracePeriod: .seconds(
        reader.integer(
          "termination-grace-period-seconds", flag: terminationGracePeriodSeconds, default: 10,
          in: 0...Self.longestGracePeriod)),
      holder: Holder(
        pod: environment["POD_NAME"] ?? "", podUID: podUID, node: environment["NODE_NAME"],
        since: now))
    configuration.sharedDirectory = reader.string(
      "shared-directory", flag: sharedDirectory, default: configuration.sharedDirectory)
    let address = reader.address(
      "probe-address", flag: probeAddress, default: .tcp(host: "", port: defaultPort))
    return (configuration, address)
  }
}
