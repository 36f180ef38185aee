/// How to reach a cluster, and how long to wait for its members.
package struct EtcdConfiguration: Sendable {
  /// Members of one cluster. At least one.
  package var addresses: [EtcdAddress]
  package var credentials: EtcdCredentials?
  /// TLS with these files; nil for plain TCP, or for TLS with the system's authorities where the
  /// address says `https://`.
  package var tls: EtcdTLS?
  /// How long one member may take before the next is asked. A lone member gets all the time that
  /// the call has.
  package var attemptTimeout = Duration.milliseconds(500)
  /// Between rounds in which no member could do what was asked, such as during an election.
  package var roundPause = Duration.milliseconds(50)
  /// How often a member that failed is asked whether it is well again. Until then it is asked last.
  package var probeInterval = Duration.milliseconds(500)
  /// The first and the longest wait between attempts to connect; jittered.
  package var reconnectDelays: ClosedRange<Duration> = .milliseconds(50) ... .seconds(1)
  /// A connection on which calls wait and nothing came for so long is asked for a sign of life.
  package var keepaliveInterval = Duration.seconds(10)
  /// How long that sign may take before the connection is closed.
  package var keepaliveTimeout = Duration.seconds(5)
  /// The largest message that is read; a larger one fails its call.
  package var maximumMessageBytes = 8 << 20
  /// Told of every attempt at a member, except those that the caller gave up. Must not block.
  package var observer: (@Sendable (EtcdAttempt) -> Void)?
  /// Which of the addresses to prefer; nil: any, so that clients spread over the members.
  package var preferredMember: Int?

  package init(
    addresses: [EtcdAddress], credentials: EtcdCredentials? = nil, tls: EtcdTLS? = nil
  ) {
    self.addresses = addresses
    self.credentials = credentials
    self.tls = tls
  }

  func tls(for address: EtcdAddress) -> EtcdTLS? { tls ?? (address.usesTLS ? EtcdTLS() : nil) }
}

/// What became of one call to one member.
package struct EtcdAttempt: Sendable {
  package let member: EtcdAddress
  package let duration: Duration
  /// It did not answer, or could not serve. What etcd refuses is no failure of the member.
  package let isFailure: Bool
}
