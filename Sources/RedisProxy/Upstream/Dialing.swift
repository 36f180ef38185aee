import NIOCore
import NIOPosix

/// Makes the bare connection to a server, within a time.
typealias Dialer = (any EventLoop, SocketAddress, TimeAmount) -> EventLoopFuture<any Channel>

enum Dialing {
  static func tcp(
    _ eventLoop: any EventLoop, _ address: SocketAddress, _ timeout: TimeAmount
  ) -> EventLoopFuture<any Channel> {
    ClientBootstrap(group: eventLoop)
      .connectTimeout(timeout)
      .channelOption(.socketOption(.so_keepalive), value: 1)
      // A server that is gone without a word is noticed although nobody waits for a reply for ever.
      .channelOption(keepaliveIdle, value: 10)
      .channelOption(keepaliveInterval, value: 5)
      .channelOption(keepaliveCount, value: 3)
      .channelOption(userTimeout, value: 20_000)
      .channelOption(.writeBufferWaterMark, value: .init(low: 256 << 10, high: 1 << 20))
      .connect(to: address)
  }

  // tcp(7): TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT in seconds and probes, TCP_USER_TIMEOUT in
  // milliseconds.
  private static let keepaliveIdle = tcpOption(4)
  private static let keepaliveInterval = tcpOption(5)
  private static let keepaliveCount = tcpOption(6)
  private static let userTimeout = tcpOption(18)

  private static func tcpOption(_ number: CInt) -> ChannelOptions.Types.SocketOption {
    ChannelOptions.Types.SocketOption(level: .tcp, name: NIOBSDSocket.Option(rawValue: number))
  }
}
