package import ArgumentParser
import Coordination
package import ServiceKit

/// What the webhook tells the sidecar that it injects.
package struct SidecarOptions: ParsableArguments {
  @Argument(help: "The lock: <namespace>/<key>.")
  package var unlockKey: String

  @Argument(help: "The token of the claim.")
  package var unlockValue: String

  @Option(help: "From the last sign of life until the lock frees itself (default: 60).")
  package var expirationSeconds: String?

  @Option(help: "How long before that to give up (default: 3, a third of the expiration at most).")
  package var fenceMarginSeconds: String?

  @Option(help: "restart-all, liveness or none (default: restart-all).")
  package var fence: String?

  @Option(help: "From SIGTERM until the kubelet kills (default: 10).")
  package var terminationGracePeriodSeconds: String?

  @Option(help: "Leave the lock that many seconds to live when it is released (default: 0).")
  package var releaseDelaySeconds: String?

  @Option(help: "Where probes are answered: host:port or unix:@name (default: :65531).")
  package var probeAddress: String?

  @Option(
    help: "A directory of the Pod, for a note to the next sidecar (default: /dev/shm).")
  package var sharedDirectory: String?

  @Flag(help: "The application does not wait for this sidecar: it is an ordinary container.")
  package var ungated = false

  package init() {}

  /// What `--termination-grace-period-seconds` takes.
  static let longestGracePeriod = 31_536_000
  /// The most that is left of a lease for a margin.
  private static let largestMarginShare = 3

  /// - Parameters:
  ///   - environment: `POD_UID`, `POD_NAME` and `NODE_NAME` from the downward API.
  ///   - now: seconds since 1970.
  package func resolve(
    _ reader: inout OptionReader, defaultPort: Int, environment: [String: String], now: Int
  ) -> (SidecarConfiguration, ListenAddress) {
    let key = NamespacedKey(parsing: unlockKey)
    if key == nil {
      reader.rejectArgument("UNLOCK_KEY", value: unlockKey, allowed: "<namespace>/<key>")
    }
    if unlockValue.isEmpty || unlockValue.contains(where: \.isWhitespace) {
      reader.rejectArgument("UNLOCK_VALUE", value: nil, allowed: "a token without white space")
    }
    let podUID = environment["POD_UID"] ?? ""
    if podUID.isEmpty || podUID.contains(where: \.isWhitespace) {
      reader.rejectVariable(
        "POD_UID", value: nil, allowed: "the UID of the Pod, without white space")
    }
    let expiration = reader.integer(
      "expiration-seconds", flag: expirationSeconds, default: 60,
      in: PodAnnotations.expirationRange)
    let margin = reader.integer(
      "fence-margin-seconds", flag: fenceMarginSeconds,
      default: min(3, expiration / Self.largestMarginShare), in: 0...31_536_000)
    var configuration = SidecarConfiguration(
      key: key ?? NamespacedKey(namespace: "", key: ""), token: Token(unlockValue),
      expiration: .seconds(expiration),
      fenceMargin: .seconds(min(margin, expiration / Self.largestMarginShare)),
      fence: reader.choice("fence", flag: fence, default: Fence.restartAll),
      isGated: !ungated,
      gracePeriod: .seconds(
        reader.integer(
          "termination-grace-period-seconds", flag: terminationGracePeriodSeconds, default: 10,
          in: 0...Self.longestGracePeriod)),
      releaseDelay: .seconds(
        reader.integer(
          "release-delay-seconds", flag: releaseDelaySeconds, default: 0, in: 0...3600)),
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
