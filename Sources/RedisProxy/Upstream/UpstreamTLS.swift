import NIOCore
import NIOSSL
import RedisClient
import ServiceKit

/// TLS to a server.
struct UpstreamTLS {
  let context: NIOSSLContext
  /// The name to ask for and to verify; nil: the address.
  let name: String?
}

extension ProxyConfiguration {
  /// Reads the files anew, so that replaced certificates are picked up; nil: plain TCP.
  ///
  /// - Parameter address: the configured name of the server.
  func upstreamTLS(_ address: RedisAddress?) throws -> UpstreamTLS? {
    guard let address, let tls = remoteTLS ?? (address.usesTLS ? RedisTLS() : nil)
    else { return nil }
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.minimumTLSVersion = .tlsv12
    if let file = tls.authorityFile {
      configuration.trustRoots = .certificates(
        try Self.load("certificate authorities", file) { try NIOSSLCertificate.fromPEMFile(file) })
    }
    if let file = tls.certificateFile, let keyFile = tls.keyFile {
      configuration.certificateChain = try Self.load("client certificate", file) {
        try NIOSSLCertificate.fromPEMFile(file).map { .certificate($0) }
      }
      configuration.privateKey = try Self.load("client key", keyFile) {
        .privateKey(try NIOSSLPrivateKey(file: keyFile, format: .pem))
      }
    }
    let name = tls.serverName ?? address.host
    let isLiteral = (try? SocketAddress(ipAddress: name, port: 0)) != nil
    return UpstreamTLS(
      context: try NIOSSLContext(configuration: configuration), name: isLiteral ? nil : name)
  }

  private static func load<Material>(
    _ what: String, _ file: String, _ read: () throws -> Material
  ) throws(FatalError) -> Material {
    do {
      return try read()
    } catch {
      throw FatalError("cannot read the \(what) from \(file) as PEM", code: .certificates)
    }
  }
}
