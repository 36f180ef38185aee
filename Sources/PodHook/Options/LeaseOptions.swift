package import ArgumentParser
package import ServiceKit

/// What the webhook tells the sidecar of a lock.
package struct LeaseOptions: ParsableArguments {
  @Option(help: "From the last sign of life until the lock frees itself (default: 60).")
  package var expirationSeconds: String?

  @Option(help: "How long before that to give up (default: 3, a third of the expiration at most).")
  package var fenceMarginSeconds: String?

  @OptionGroup package var release: ReleaseOptions

  package init() {}

  /// The most that is left of a lease for a margin.
  private static let largestMarginShare = 3

  package func resolve(_ reader: inout OptionReader) -> LeaseTerms {
    let expiration = reader.integer(
      "expiration-seconds", flag: expirationSeconds, default: 60,
      in: LockClaims.expirationRange)
    let margin = reader.integer(
      "fence-margin-seconds", flag: fenceMarginSeconds,
      default: min(3, expiration / Self.largestMarginShare), in: 0...31_536_000)
    return LeaseTerms(
      expiration: .seconds(expiration),
      fenceMargin: .seconds(min(margin, expiration / Self.largestMarginShare)),
      releaseDelay: release.resolve(&reader))
  }
}

/// How a lock is given up, as the webhook is told and as it tells its sidecars.
package struct ReleaseOptions: ParsableArguments {
  @Option(help: "Leave the lock that many seconds to live when it is released (default: 0).")
  package var releaseDelaySeconds: String?

  package init() {}

  /// Zero: the lock is deleted at once.
  package func resolve(_ reader: inout OptionReader) -> Duration {
    .seconds(
      reader.integer(
        "release-delay-seconds", flag: releaseDelaySeconds, default: 0, in: 0...3600))
  }
}
