import FoundationEssentials
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import NIOCore
import NIOSSL

/// All that a connection to a member is made of, with the TLS files as they are on disk.
struct TransportMaterial: Sendable, Equatable {
  struct Files: Sendable, Equatable {
    var authority: [UInt8]?
    var certificate: [UInt8]?
    var key: [UInt8]?
  }

  /// Nil for plain TCP.
  let files: Files?

  /// Reads the files that the configuration names.
  init(_ configuration: EtcdConfiguration, for address: EtcdAddress) throws(EtcdError) {
    guard let tls = configuration.tls(for: address) else {
      files = nil
      return
    }
    guard (tls.certificateFile == nil) == (tls.keyFile == nil) else {
      throw EtcdError(
        .configuration, "TLS needs a client certificate and its key together, or neither")
    }
    if let name = tls.serverName, Self.isIPAddress(name), name != address.host {
      throw EtcdError(
        .configuration,
        "the TLS server name has to be a DNS name: an IP address is verified if it is the host")
    }
    files = Files(
      authority: try Self.read("certificate authorities", tls.authorityFile),
      certificate: try Self.read("client certificate", tls.certificateFile),
      key: try Self.read("client key", tls.keyFile))
  }

  private static func read(
    _ what: String, _ path: String?
  ) throws(EtcdError) -> [UInt8]? {
    guard let path else { return nil }
    do {
      return Array(try Data(contentsOf: URL(filePath: path)))
    } catch {
      throw EtcdError(.configuration, "cannot read the \(what) from \(path)")
    }
  }

  static func isIPAddress(_ name: String) -> Bool {
    (try? SocketAddress(ipAddress: name, port: 0)) != nil
  }

  /// A transport that connects once it is run.
  func transport(
    _ configuration: EtcdConfiguration, to address: EtcdAddress, on eventLoop: any EventLoop
  ) throws(EtcdError) -> HTTP2ClientTransport.Posix {
    let delays = configuration.reconnectDelays
    let settings = HTTP2ClientTransport.Posix.Config.defaults { settings in
      settings.backoff = .init(
        initial: delays.lowerBound, max: delays.upperBound, multiplier: 2, jitter: 0.2)
      settings.connection.maxIdleTime = nil
      settings.connection.keepalive = .init(
        time: configuration.keepaliveInterval, timeout: configuration.keepaliveTimeout,
        allowWithoutCalls: false)
      settings.channelDebuggingCallbacks.onCreateTCPConnection = { channel in
        channel.eventLoop.makeCompletedFuture {
          let pipeline = channel.pipeline.syncOperations
          let tls = try? pipeline.handler(type: NIOSSLClientHandler.self)
          try pipeline.addHandler(PingAnswering(), position: tls.map { .after($0) } ?? .first)
        }
      }
      if let name = configuration.tls(for: address)?.serverName, name != address.host {
        settings.http2.authority = "\(name):\(address.port)"
      }
    }
    do {
      if !Self.isIPAddress(address.host) {
        return try HTTP2ClientTransport.Posix(
          target: .dns(host: address.host, port: address.port), transportSecurity: security,
          config: settings, eventLoopGroup: eventLoop)
      } else if address.host.contains(":") {
        return try HTTP2ClientTransport.Posix(
          target: .ipv6(address: address.host, port: address.port), transportSecurity: security,
          config: settings, eventLoopGroup: eventLoop)
      } else {
        return try HTTP2ClientTransport.Posix(
          target: .ipv4(address: address.host, port: address.port), transportSecurity: security,
          config: settings, eventLoopGroup: eventLoop)
      }
    } catch {
      let paths = configuration.tls(for: address).map {
        [$0.authorityFile, $0.certificateFile, $0.keyFile].compactMap(\.self)
      }
      throw EtcdError(
        .configuration,
        "TLS cannot be set up with \(paths?.joined(separator: ", ") ?? "the system's authorities")"
          + " as PEM (do the client certificate and its key belong together?): \(error)")
    }
  }

  private var security: HTTP2ClientTransport.Posix.TransportSecurity {
    guard let files else { return .plaintext }
    return .tls { tls in
      if let authority = files.authority {
        tls.trustRoots = .certificates([.bytes(authority, format: .pem)])
      }
      if let certificate = files.certificate, let key = files.key {
        tls.certificateChain = [.bytes(certificate, format: .pem)]
        tls.privateKey = .bytes(key, format: .pem)
      }
    }
  }
}
