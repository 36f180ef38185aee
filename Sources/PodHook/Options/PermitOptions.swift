package import ArgumentParser
package import ServiceKit

/// What the webhook tells the sidecar of a permit.
package struct PermitOptions: ParsableArguments {
  @Option(help: "The number of permits of the semaphore (default: 1).")
  package var length: String?

  @Option(
    help: "How long the lock around the queue may be held by a crashed process (default: 60).")
  package var lockSeconds: String?

  @OptionGroup package var heartbeats: HeartbeatOptions

  package init() {}

  package func resolve(
    _ reader: inout OptionReader, queue: QueueConfiguration
  ) -> PermitTerms {
    PermitTerms(
      length: reader.integer(
        "length", flag: length, default: 1, in: PermitClaims.lengthRange),
      lockTime: .seconds(
        reader.integer(
          "lock-seconds", flag: lockSeconds, default: 60, in: PermitClaims.expirationRange)),
      heartbeatInterval: heartbeats.resolve(&reader, queue: queue))
  }
}
