import Glibc
import IPAddresses
import NIOCore
import NIOPosix

/// The client's side until it is connected: greeting, request, then the way there.
///
/// Hands its channel over to a ``TunnelHandler`` then, and goes.
final class SOCKSHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private enum Phase {
    case greeting
    case request
    case connecting
    case over
  }

  private let configuration: FilteringProxy.Configuration
  private let onEvent: @Sendable (FilteringProxyEvent) -> Void
  private var phase = Phase.greeting
  private var input = ByteBuffer()
  private var deadline: Scheduled<Void>?

  init(
    _ configuration: FilteringProxy.Configuration,
    onEvent: @escaping @Sendable (FilteringProxyEvent) -> Void
  ) {
    self.configuration = configuration
    self.onEvent = onEvent
  }

  // MARK: Channel

  func handlerAdded(context: ChannelHandlerContext) {
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    deadline = context.eventLoop.scheduleTask(in: configuration.timeout) {
      let (handler, context) = bound.value
      if handler.phase != .connecting { handler.close(context) }
    }
  }

  func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard phase != .over else { return }
    var bytes = unwrapInboundIn(data)
    guard phase == .connecting || input.readableBytes < SOCKSMessage.maximumBytes else {
      return close(context)
    }
    input.writeBuffer(&bytes)
    do throws(SOCKSFault) {
      if phase == .greeting, let methods = try SOCKSMessage.readGreeting(&input) {
        // Without authentication: who can reach the port may use it.
        let isKnown = methods.contains(0)
        write([SOCKSMessage.version, isKnown ? 0 : 0xff], context)
        guard isKnown else { return close(context) }
        phase = .request
      }
      if phase == .request, let destination = try SOCKSMessage.readRequest(&input) {
        phase = .connecting
        // Nobody may say more before the answer, beyond what has been read.
        context.channel.setOption(.autoRead, value: false).whenFailure { _ in }
        connect(to: destination, context)
      }
    } catch {
      write(SOCKSMessage.reply(error.reply), context)
      close(context)
    }
  }

  /// Nobody closes its half before it has asked for something. Later nothing is read before the
  /// tunnel is there, which passes the end on.
  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed = event, phase != .over { return close(context) }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    phase = .over
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { close(context) }

  private func write(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
  }

  private func close(_ context: ChannelHandlerContext) {
    phase = .over
    context.close(promise: nil)
  }

  // MARK: The way there

  private func connect(to destination: SOCKSDestination, _ context: ChannelHandlerContext) {
    let connector = Connector(configuration, on: context.eventLoop)
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    connector.connect(to: destination).whenComplete { result in
      let (handler, context) = bound.value
      switch result {
      case .success(let channel): handler.join(channel, destination, context)
      case .failure(let error): handler.refuse(destination, ConnectFailure(error), context)
      }
    }
  }

  private func refuse(
    _ destination: SOCKSDestination, _ failure: ConnectFailure, _ context: ChannelHandlerContext
  ) {
    onEvent(
      failure.isRefusal
        ? .refused("\(destination)", reason: failure.reason)
        : .failed("\(destination)", reason: failure.reason))
    guard phase == .connecting else { return }
    write(SOCKSMessage.reply(failure.reply), context)
    close(context)
  }

  private func join(
    _ channel: any Channel, _ destination: SOCKSDestination, _ context: ChannelHandlerContext
  ) {
    guard phase == .connecting else { return channel.close(promise: nil) }
    phase = .over
    onEvent(.connected("\(destination)"))
    write(SOCKSMessage.reply(.succeeded), context)
    let (near, far) = TunnelHandler.pair()
    do {
      try channel.pipeline.syncOperations.addHandler(far)
      try context.pipeline.syncOperations.addHandler(near)
    } catch {
      channel.close(promise: nil)
      return close(context)
    }
    let early = input
    input = ByteBuffer()
    if early.readableBytes > 0 {
      context.fireChannelRead(wrapInboundOut(early))
      context.fireChannelReadComplete()
    }
    for channel in [channel, context.channel] {
      // Cannot fail on a channel that is open, and does not matter on another.
      channel.setOption(.autoRead, value: true).whenFailure { _ in }
    }
    context.pipeline.syncOperations.removeHandler(self, promise: nil)
  }
}
