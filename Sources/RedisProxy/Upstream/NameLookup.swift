import NIOCore
import NIOPosix
import RedisClient

/// Keeps the addresses behind the names of a role up to date: one look-up per role at one time, and
/// nobody waits for it longer than makes sense.
final class NameLookup {
  /// For so long a new answer is worth waiting for while there is an old one.
  static let patience = TimeAmount.seconds(2)

  /// Calls back once, whoever comes first.
  private final class Waiter {
    private var action: (() -> Void)?
    var timer: Scheduled<Void>?

    init(_ action: @escaping () -> Void) { self.action = action }

    func run() {
      timer?.cancel()
      let action = action
      self.action = nil
      action?()
    }
  }

  /// Finds the addresses of each name.
  typealias Resolver = ([RedisAddress], any EventLoop) -> EventLoopFuture<[[SocketAddress]]>

  /// Asks the system, on a thread that may be blocked.
  var resolver: Resolver = { names, eventLoop in
    NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) {
      names.map { AddressBook.resolve($0.host, port: $0.port) }
    }
  }

  private unowned let lane: ProxyLane
  private var waiting: [UpstreamRole: [Waiter]] = [:]

  init(_ lane: ProxyLane) { self.lane = lane }

  /// Calls back when the addresses are known as of now, or as well as can be had in time.
  func look(_ role: UpstreamRole, until deadline: NIODeadline, _ done: @escaping () -> Void) {
    guard let book = lane.books[role], !book.isFresh(at: lane.now) else { return done() }
    let waiter = Waiter(done)
    let limit = book.addresses.isEmpty ? deadline : min(deadline, lane.now + Self.patience)
    waiter.timer = lane.eventLoop.assumeIsolated().scheduleTask(deadline: limit) { waiter.run() }
    let isUnderWay = waiting[role] != nil
    waiting[role, default: []].append(waiter)
    guard !isUnderWay else { return }
    resolver(book.names, lane.eventLoop).assumeIsolated().whenComplete { [self] result in
      lane.books[role]?.update((try? result.get()) ?? [], at: lane.now)
      let waiters = waiting.removeValue(forKey: role) ?? []
      for waiter in waiters { waiter.run() }
    }
  }
}
