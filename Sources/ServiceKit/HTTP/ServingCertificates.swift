package import CoreMetrics
import Glibc
package import Logging
import NIOCertificateReloading
package import NIOSSL
import ServiceLifecycle
import Synchronization

/// The certificate of a server, from `tls.crt` and `tls.key` of a directory, always the newest.
///
/// While ``run()`` runs it looks at the files every interval (two `stat(2)` calls; they are read only
/// when they have changed, which includes Kubernetes' swap of `..data`). New connections use the new
/// pair, open ones go on. A pair that cannot be used leaves the last good one in place, is logged at
/// warning, and counts in `certificate_reload_failures_total`.
package final class ServingCertificates: Service, CustomStringConvertible {
  private struct State {
    /// The files that were tried last, good or bad.
    var seen: CertificateFiles.Fingerprint?
    var isLastAttemptGood = true
    var lastFailure: String?
    /// Seconds since 1970.
    var expiry = 0
  }

  private let files: CertificateFiles
  private let interval: Duration
  private let reloader: TimedCertificateReloader
  private let state = Mutex(State())
  private let expiryGauge: Gauge
  private let reloads: Counter
  private let failures: Counter
  private let logger: Logger

  /// Loads the pair; throws what to do if it cannot be used.
  ///
  /// - Parameters:
  ///   - interval: how often the files are looked at.
  ///   - metrics: gets `certificate_expiry_timestamp_seconds`, `certificate_reloads_total` and
  ///     `certificate_reload_failures_total`.
  package init(
    directory: String, interval: Duration = .seconds(2),
    metrics: any MetricsFactory = MetricsSystem.factory, logger: Logger
  ) throws(FatalError) {
    let files = CertificateFiles(directory: directory)
    self.files = files
    self.interval = interval
    self.logger = logger
    expiryGauge = Gauge(label: "certificate_expiry_timestamp_seconds", factory: metrics)
    reloads = Counter(label: "certificate_reloads_total", factory: metrics)
    failures = Counter(label: "certificate_reload_failures_total", factory: metrics)
    // The interval of the reloader itself is not used: this service decides when to reload.
    reloader = TimedCertificateReloader(
      refreshInterval: interval,
      certificateSource: .init(
        location: .memory { try CertificateFiles.read(files.certificate) }, format: .pem),
      privateKeySource: .init(
        location: .memory { try CertificateFiles.read(files.key) }, format: .pem))
    try load()
  }

  package var description: String { "certificates" }

  /// When the certificate in use expires, in seconds since 1970.
  package var expiry: Int { state.withLock { $0.expiry } }

  /// Unhealthy once the certificate in use has expired.
  package var healthCheck: HealthCheck {
    HealthCheck("certificates") { [self] in
      let expiry = expiry
      guard expiry <= time(nil) else { return .healthy }
      return .unhealthy(
        "the certificate expired at \(LogTimestamp.text(seconds: expiry, milliseconds: 0))")
    }
  }

  /// A configuration for servers: TLS 1.2 or newer, each handshake with the newest pair.
  ///
  /// - Parameters:
  ///   - clientCAFile: if set, clients must present a certificate that one of its CAs has signed.
  ///   - applicationProtocols: for ALPN, in order of preference.
  package func serverConfiguration(
    clientCAFile: String? = nil, applicationProtocols: [String] = ["http/1.1"]
  ) throws(FatalError) -> TLSConfiguration {
    var configuration: TLSConfiguration
    do {
      configuration = try .makeServerConfiguration(certificateReloader: reloader)
    } catch {
      throw FatalError(
        "no certificate has been loaded from \(files.directory)", code: .certificates, cause: error)
    }
    configuration.minimumTLSVersion = .tlsv12
    configuration.applicationProtocols = applicationProtocols
    if let clientCAFile {
      let authorities = try CertificateFiles.authorities(inFile: clientCAFile)
      configuration.trustRoots = .certificates(authorities)
      configuration.certificateVerification = .noHostnameVerification
    }
    return configuration
  }

  /// Watches the files until graceful shutdown or cancellation.
  package func run() async throws {
    try? await cancelWhenGracefulShutdown { [self] in
      while true {
        try await Task.sleep(for: interval)
        reloadIfChanged()
      }
    }
  }

  /// Loads the files if they have changed since the last attempt, or if that failed.
  package func reloadIfChanged() {
    let (seen, isGood) = state.withLock { ($0.seen, $0.isLastAttemptGood) }
    guard !isGood || files.fingerprint != seen else { return }
    do {
      try load()
      reloads.increment()
      logger.notice(
        "Certificate reloaded",
        metadata: [
          "directory": "\(files.directory)",
          "expires": "\(LogTimestamp.text(seconds: expiry, milliseconds: 0))",
        ])
    } catch {
      failures.increment()
      let isNew = state.withLock { state in
        defer { state.lastFailure = error.message }
        return state.lastFailure != error.message
      }
      if isNew {
        logger.warning(
          "Certificate not reloaded, the last good one stays in use",
          metadata: ["directory": "\(files.directory)", "error": "\(error.message)"])
      }
    }
  }

  private func load() throws(FatalError) {
    // Taken before reading: what changes meanwhile is seen next time.
    let fingerprint = files.fingerprint
    state.withLock { state in
      state.seen = fingerprint
      state.isLastAttemptGood = false
    }
    do {
      try reloader.reload()
    } catch let error as FatalError {
      throw error
    } catch {
      throw failure(error)
    }
    let chain = reloader.sslContextConfigurationOverride.certificateChain
    guard case .certificate(let leaf)? = chain?.first else { return }
    state.withLock { state in
      state.isLastAttemptGood = true
      state.lastFailure = nil
      state.expiry = leaf.notValidAfter
    }
    expiryGauge.record(leaf.notValidAfter)
  }

  private func failure(_ error: any Error) -> FatalError {
    if (error as? TimedCertificateReloader.Error) == .publicKeyMismatch {
      return FatalError(
        "the key in \(files.key) does not belong to the certificate in \(files.certificate): "
          + "put the pair there that was issued together",
        code: .certificates, cause: error)
    }
    return FatalError(
      "\(files.certificate) and \(files.key) are not a certificate chain and an unencrypted "
        + "private key in PEM form",
      code: .certificates, cause: error)
  }
}
