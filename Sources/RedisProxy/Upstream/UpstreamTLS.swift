import Glibc
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

/// What TLS to servers needs, read again only when a file has changed: to load the system's
/// authorities takes long.
struct UpstreamTLSFiles {
  private struct Stamp: Equatable {
    let inode: UInt
    let size: Int
    let seconds: Int
    let nanoseconds: Int
  }

  private var context: NIOSSLContext?
  private var tls: RedisTLS?
  private var stamps: [Stamp?] = []

  /// Nil: plain TCP.
  ///
  /// - Parameter address: the configured name of the server.
  mutating func security(
    for address: RedisAddress?, _ configuration: ProxyConfiguration
  ) throws -> UpstreamTLS? {
    guard let address, let tls = configuration.remoteTLS ?? (address.usesTLS ? RedisTLS() : nil)
    else { return nil }
    let stamps = [tls.authorityFile, tls.certificateFile, tls.keyFile].map {
      $0.flatMap(Self.stamp)
    }
    if context == nil || stamps != self.stamps || tls != self.tls {
      context = try Self.makeContext(tls)
      (self.stamps, self.tls) = (stamps, tls)
    }
    guard let context else { return nil }
    let name = tls.serverName ?? address.host
    let isLiteral = (try? SocketAddress(ipAddress: name, port: 0)) != nil
    return UpstreamTLS(context: context, name: isLiteral ? nil : name)
  }

  private static func stamp(_ path: String) -> Stamp? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return Stamp(
      inode: UInt(status.st_ino), size: Int(status.st_size), seconds: status.st_mtim.tv_sec,
      nanoseconds: status.st_mtim.tv_nsec)
  }

  private static func makeContext(_ tls: RedisTLS) throws -> NIOSSLContext {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.minimumTLSVersion = .tlsv12
    if let file = tls.authorityFile {
      configuration.trustRoots = .certificates(
        try load("certificate authorities", file) { try NIOSSLCertificate.fromPEMFile(file) })
    }
    if let file = tls.certificateFile, let keyFile = tls.keyFile {
      configuration.certificateChain = try load("client certificate", file) {
        try NIOSSLCertificate.fromPEMFile(file).map { .certificate($0) }
      }
      configuration.privateKey = try load("client key", keyFile) {
        .privateKey(try NIOSSLPrivateKey(file: keyFile, format: .pem))
      }
    }
    return try NIOSSLContext(configuration: configuration)
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
