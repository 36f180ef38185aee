import NIOCore
import NIOSSL

extension RedisTLS {
  /// Reads the files and prepares a TLS context; throws a ``RedisError`` that names the file.
  func makeContext(address: RedisAddress) throws(RedisError) -> NIOSSLContext {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.minimumTLSVersion = .tlsv12
    if let authorityFile {
      configuration.trustRoots = .certificates(
        try load("certificate authorities", authorityFile, address) {
          try NIOSSLCertificate.fromPEMFile(authorityFile)
        })
    }
    switch (certificateFile, keyFile) {
    case (nil, nil): break
    case (let certificateFile?, let keyFile?):
      configuration.certificateChain = try load("client certificate", certificateFile, address) {
        try NIOSSLCertificate.fromPEMFile(certificateFile).map { .certificate($0) }
      }
      configuration.privateKey = try load("client key", keyFile, address) {
        .privateKey(try NIOSSLPrivateKey(file: keyFile, format: .pem))
      }
    default:
      throw RedisError(
        .configuration, address: address.description,
        "TLS needs a client certificate and its key together, or neither")
    }
    do {
      return try NIOSSLContext(configuration: configuration)
    } catch {
      throw RedisError(
        .configuration, address: address.description,
        "TLS cannot be set up (do the client certificate and key belong together?)", cause: error)
    }
  }

  /// The name to ask for and to verify; nil to verify the IP address that was connected to.
  func verifiedName(address: RedisAddress) throws(RedisError) -> String? {
    let isAddress = { (name: String) in (try? SocketAddress(ipAddress: name, port: 0)) != nil }
    if let serverName, serverName != address.host {
      guard !isAddress(serverName) else {
        throw RedisError(
          .configuration, address: address.description,
          "the TLS server name has to be a DNS name: an IP address is verified if it is the host")
      }
      return serverName
    }
    return isAddress(address.host) ? nil : address.host
  }

  private func load<Material>(
    _ what: String, _ file: String, _ address: RedisAddress, _ read: () throws -> Material
  ) throws(RedisError) -> Material {
    do {
      return try read()
    } catch {
      throw RedisError(
        .configuration, address: address.description,
        "cannot read the \(what) from \(file) as PEM", cause: error)
    }
  }
}
