import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Opens connections to one server.
struct HTTPConnector: Sendable {
  let configuration: HTTPUpstreamConfiguration
  private let tls: NIOSSLContext?

  init(_ configuration: HTTPUpstreamConfiguration) throws(HTTPUpstreamError) {
    self.configuration = configuration
    tls = configuration.origin.usesTLS ? try Self.makeContext(configuration) : nil
  }

  private static func makeContext(
    _ configuration: HTTPUpstreamConfiguration
  ) throws(HTTPUpstreamError) -> NIOSSLContext {
    var tls = TLSConfiguration.makeClientConfiguration()
    tls.minimumTLSVersion = .tlsv12
    tls.applicationProtocols = ["http/1.1"]
    do {
      if let file = configuration.authorityFile {
        tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(file))
      }
      return try NIOSSLContext(configuration: tls)
    } catch {
      let file = configuration.authorityFile ?? "the system's authorities"
      throw HTTPUpstreamError(
        .configuration, configuration.origin, "cannot read certificates from \(file) as PEM",
        mayHaveRun: false, cause: error)
    }
  }

  /// Opens a connection; it tells `lane` when it is ready for requests, or that it never will be.
  func open(for lane: HTTPLane) {
    let configuration = configuration
    let tls = tls
    let bootstrap = ClientBootstrap(group: lane.eventLoop)
      .connectTimeout(TimeAmount(configuration.connectTimeout))
      .channelOption(.socketOption(.so_keepalive), value: 1)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelOption(.writeBufferWaterMark, value: .init(low: 64 << 10, high: 256 << 10))
      // Off with TLS only when its handshake is done: that reads what it needs.
      .channelOption(.autoRead, value: tls != nil)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let pipeline = channel.pipeline.syncOperations
          if let tls {
            let origin = configuration.origin
            try pipeline.addHandler(
              NIOSSLClientHandler(
                context: tls, serverHostname: origin.isAddress ? nil : origin.host))
          }
          var limits = NIOHTTPDecoderLimitConfiguration()
          limits.maxHeaderFieldSize = configuration.maximumHeadBytes
          limits.maxHeaderListSize = configuration.maximumHeadBytes
          var encoding = HTTPRequestEncoder.Configuration()
          encoding.automaticallySetFramingHeaders = false
          try pipeline.addHandler(HTTPRequestEncoder(configuration: encoding))
          try pipeline.addHandler(
            ByteToMessageHandler(
              HTTPResponseDecoder(
                leftOverBytesStrategy: .dropBytes, informationalResponseStrategy: .drop,
                limitConfiguration: limits)))
          try pipeline.addHandler(
            HTTPConnection(lane: lane, configuration: configuration, waitsForTLS: tls != nil))
        }
      }
    let origin = configuration.origin
    let connecting =
      if let address = try? SocketAddress(ipAddress: origin.host, port: origin.port) {
        bootstrap.connect(to: address)
      } else {
        bootstrap.connect(host: origin.host, port: origin.port)
      }
    connecting.whenFailure { lane.couldNotConnect($0) }
  }
}
