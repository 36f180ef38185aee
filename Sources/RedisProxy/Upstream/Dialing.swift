import NIOCore
import NIOPosix

/// Makes the bare connection to a server, within a time.
typealias Dialer = (any EventLoop, SocketAddress, TimeAmount) -> EventLoopFuture<any Channel>

enum Dialing {
  static func tcp(
    _ eventLoop: any EventLoop, _ address: SocketAddress, _ timeout: TimeAmount
  ) -> EventLoopFuture<any Channel> {
    var bootstrap = ClientBootstrap(group: eventLoop)
      .connectTimeout(timeout)
      .channelOption(.socketOption(.so_keepalive), value: 1)
      .channelOption(TCPKeepalive.userTimeout, value: 20_000)
      .channelOption(.writeBufferWaterMark, value: .init(low: 256 << 10, high: 1 << 20))
    // A server that is gone without a word is noticed although nobody waits for a reply for ever.
    for (option, value) in TCPKeepalive.options(idle: 10, interval: 5, count: 3) {
      bootstrap = bootstrap.channelOption(option, value: value)
    }
    return bootstrap.connect(to: address)
  }
}

/// How soon TCP notices a peer that is gone without a word, see tcp(7).
enum TCPKeepalive {
  typealias Option = ChannelOptions.Types.SocketOption

  /// In milliseconds, for what was sent and not acknowledged.
  static let userTimeout = option(18)

  /// - Parameters:
  ///   - idle: seconds without anything before the first probe.
  ///   - interval: seconds between probes.
  ///   - count: probes without an answer.
  static func options(idle: Int, interval: Int, count: Int) -> [(option: Option, value: Int)] {
    [(option(4), idle), (option(5), interval), (option(6), count)]
  }

  private static func option(_ number: CInt) -> Option {
    Option(level: .tcp, name: NIOBSDSocket.Option(rawValue: number))
  }
}
