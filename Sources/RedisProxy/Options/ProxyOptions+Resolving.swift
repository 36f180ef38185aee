import NIOCore
import RedisClient
package import ServiceKit

extension ProxyOptions {
  /// Reads what the proxy needs; faults are noted in the reader.
  package func resolve(_ reader: inout OptionReader) -> ProxyConfiguration {
    let standard = RedisAddress(host: "127.0.0.1")
    var configuration = ProxyConfiguration(
      primary: remote("remote-address", remoteAddress, &reader) ?? [standard])
    configuration.localAddress = reader.address(
      "local-address", flag: localAddress, default: configuration.localAddress)
    configuration.splitsReads = reader.bool(
      "reader-routing", flag: readerRouting ? true : nil, default: false)
    configuration.reader = remote("reader-remote-address", readerRemoteAddress, &reader) ?? []
    configuration.connectTimeout = time(
      "connect-timeout", connectTimeout, default: .seconds(10),
      in: .milliseconds(10)...(.seconds(3600)), &reader)
    configuration.maximumConnections = reader.integer(
      "max-connections", flag: maxConnections, default: 10_000, in: 1...1_000_000)
    configuration.maximumIdleConnections = reader.integer(
      "max-idle-connections", flag: maxIdleConnections, default: 64, in: 0...65_535)
    configuration.minimumIdleConnections = reader.integer(
      "min-idle-connections", flag: minIdleConnections, default: 0, in: 0...65_535)
    configuration.maximumIdleTime = time(
      "max-idle-time", maxIdleTime, default: .seconds(300), &reader)
    let lifetime = time("max-lifetime", maxLifetime, default: .zero, &reader)
    configuration.maximumLifetime = lifetime > .zero ? lifetime : nil
    configuration.jitter = reader.value(
      "jitter-percentage", flag: jitterPercentage, default: 0.1, allowed: "a number from 0 to 1"
    ) { Double($0).flatMap { (0...1).contains($0) ? $0 : nil } }
    configuration.readYourWrites = time(
      "read-your-writes", readYourWrites, default: .zero, &reader)
    configuration.eventLoops = reader.integer("threads", flag: threads, default: 1, in: 1...64)
    resolveTopologies(&reader, &configuration)
    resolveSecurity(&reader, &configuration)
    return configuration
  }

  private func resolveTopologies(
    _ reader: inout OptionReader, _ configuration: inout ProxyConfiguration
  ) {
    let isAware = reader.bool(
      "topology-aware-routing", flag: topologyAwareRouting ? true : nil, default: false)
    let topologies = reader.list(
      "topologies", flag: topologies, default: [], of: "name=CIDR pairs"
    ) { text -> ProxyConfiguration.Topology? in
      let parts = text.split(separator: "=", maxSplits: 1)
      guard parts.count == 2, let range = AddressRange(String(parts[1])) else { return nil }
      return ProxyConfiguration.Topology(name: String(parts[0]), range: range)
    }
    let address = reader.value("own-ip", flag: ownIp, allowed: "an IP address") {
      try? SocketAddress(ipAddress: $0, port: 0)
    }
    guard isAware else { return }
    if topologies.isEmpty {
      reader.reject(
        "topologies", value: nil, allowed: "name=CIDR pairs, for topology-aware routing")
    }
    if address == nil {
      reader.reject("own-ip", value: nil, allowed: "this Pod's address, for topology-aware routing")
    }
    configuration.topologies = topologies
    configuration.ownAddress = address
  }

  private func resolveSecurity(
    _ reader: inout OptionReader, _ configuration: inout ProxyConfiguration
  ) {
    let username = reader.string("remote-username", flag: remoteUsername)
    if let password = reader.secret("remote-password", file: remotePasswordFile) {
      configuration.credentials = RedisCredentials(username: username, password: password.reveal)
    } else if let username {
      reader.reject(
        "remote-username", value: username, allowed: "a user whose --remote-password-file is given")
    }
    let authorities = reader.string("remote-tls-ca-file", flag: remoteTLSAuthorityFile)
    let certificate = reader.string("remote-tls-cert-file", flag: remoteTLSCertificateFile)
    let key = reader.string("remote-tls-key-file", flag: remoteTLSKeyFile)
    let name = reader.string("remote-tls-server-name", flag: remoteTLSServerName)
    if (certificate == nil) != (key == nil) {
      reader.reject(
        "remote-tls-cert-file", value: certificate,
        allowed: "a certificate together with --remote-tls-key-file, or neither")
    }
    if reader.bool("remote-tls", flag: remoteTLS ? true : nil, default: false) {
      configuration.remoteTLS = RedisTLS(
        authorityFile: authorities, certificateFile: certificate, keyFile: key, serverName: name)
    } else if authorities != nil || certificate != nil || name != nil {
      reader.reject("remote-tls", value: nil, allowed: "--remote-tls where its files are given")
    }
    configuration.localCertificates = reader.string("local-tls-cert-dir", flag: localTLSDirectory)
    configuration.localAuthorities = reader.string(
      "local-tls-client-ca-file", flag: localTLSAuthorityFile)
    if configuration.localAuthorities != nil, configuration.localCertificates == nil {
      reader.reject(
        "local-tls-client-ca-file", value: nil, allowed: "--local-tls-cert-dir together with it")
    }
  }

  /// Addresses of one role; TLS and names of certificates are the same for all of them.
  private func remote(
    _ name: String, _ flag: String?, _ reader: inout OptionReader
  ) -> [RedisAddress]? {
    guard let text = reader.string(name, flag: flag) else { return nil }
    do {
      let addresses = try RedisAddress.list(parsing: text)
      guard addresses.allSatisfy({ $0.database == 0 }) else {
        reader.reject(name, value: nil, allowed: "an address without a database: clients select it")
        return nil
      }
      return addresses
    } catch {
      // The text may hold a password.
      reader.reject(
        name, value: nil, allowed: "host:port or a redis:// URL, or several (\(error.message))")
      return nil
    }
  }

  private func time(
    _ name: String, _ flag: String?, default fallback: Duration,
    in range: ClosedRange<Duration> = .zero...(.seconds(31_536_000)), _ reader: inout OptionReader
  ) -> TimeAmount {
    TimeAmount(reader.duration(name, flag: flag, default: fallback, in: range))
  }
}
