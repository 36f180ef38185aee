import Glibc
import IPAddresses
import NIOCore
import NIOPosix

/// Finds the addresses of a destination, asks the rules about each, and connects to the first that
/// answers of those that may be reached.
struct Connector {
  private let configuration: FilteringProxy.Configuration
  private let eventLoop: any EventLoop

  init(_ configuration: FilteringProxy.Configuration, on eventLoop: any EventLoop) {
    self.configuration = configuration
    self.eventLoop = eventLoop
  }

  /// - Returns: a channel that reads nothing yet. Fails within the timeout of the configuration.
  func connect(to destination: SOCKSDestination) -> EventLoopFuture<any Channel> {
    let deadline = NIODeadline.now() + configuration.timeout
    let (rules, eventLoop) = (configuration.rules, eventLoop)
    return addresses(of: destination.host, deadline: deadline).flatMap { addresses in
      var refusal: AddressGuard.Refusal?
      let reachable = addresses.filter { address in
        do throws(AddressGuard.Refusal) {
          try rules.check(address)
          return true
        } catch {
          refusal = error
          return false
        }
      }
      guard !reachable.isEmpty else {
        return eventLoop.makeFailedFuture(
          refusal ?? UnknownName(reason: "there is none") as any Error)
      }
      return Self.connect(
        to: reachable[...], destination.port, deadline: deadline, on: eventLoop)
    }
  }

  private func addresses(
    of host: SOCKSDestination.Host, deadline: NIODeadline
  ) -> EventLoopFuture<[IPAddress]> {
    switch host {
    case .address(let address): return eventLoop.makeSucceededFuture([address])
    case .name(let name):
      let promise = eventLoop.makePromise(of: [IPAddress].self)
      let timer = eventLoop.scheduleTask(deadline: deadline) {
        promise.fail(UnknownName(reason: "no answer in time"))
      }
      configuration.resolver.addresses(of: name, on: eventLoop).whenComplete { result in
        timer.cancel()
        promise.completeWith(result)
      }
      return promise.futureResult
    }
  }

  /// Tries one after the other: each gets half of the time that is left, the last one all of it.
  private static func connect(
    to addresses: ArraySlice<IPAddress>, _ port: UInt16, deadline: NIODeadline,
    on eventLoop: any EventLoop
  ) -> EventLoopFuture<any Channel> {
    guard let address = addresses.first else {
      return eventLoop.makeFailedFuture(UnknownName(reason: "there is none"))
    }
    let rest = addresses.dropFirst()
    let left = max(deadline - .now(), .milliseconds(1))
    let attempt = ClientBootstrap(group: eventLoop)
      .connectTimeout(rest.isEmpty ? left : .nanoseconds(left.nanoseconds / 2))
      .channelOption(.autoRead, value: false)
      .channelOption(.allowRemoteHalfClosure, value: true)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelOption(.socketOption(.so_keepalive), value: 1)
      .connect(host: "\(address)", port: Int(port))
    if rest.isEmpty { return attempt }
    return attempt.flatMapError { _ in
      connect(to: rest, port, deadline: deadline, on: eventLoop)
    }
  }
}

/// Why there is no connection, for the client and for the log.
struct ConnectFailure {
  let reply: SOCKSReply
  let reason: String
  let isRefusal: Bool

  init(_ error: any Error) {
    isRefusal = error is AddressGuard.Refusal
    switch error {
    case let refusal as AddressGuard.Refusal:
      (reply, reason) = (.notAllowed, refusal.description)
    case let unknown as UnknownName: (reply, reason) = (.hostUnreachable, unknown.description)
    case let failure as NIOConnectionError:
      let first = failure.connectionErrors.first?.error
      (reply, reason) = Self.words(first ?? failure)
    default: (reply, reason) = Self.words(error)
    }
  }

  private static func words(_ error: any Error) -> (SOCKSReply, String) {
    if case ChannelError.connectTimeout = error { return (.hostUnreachable, "no answer in time") }
    guard let error = error as? IOError else { return (.failed, "\(error)") }
    let reason = String(cString: strerror(error.errnoCode)).lowercased()
    return switch error.errnoCode {
    case ECONNREFUSED: (.connectionRefused, reason)
    case ENETUNREACH: (.networkUnreachable, reason)
    default: (.hostUnreachable, reason)
    }
  }
}
