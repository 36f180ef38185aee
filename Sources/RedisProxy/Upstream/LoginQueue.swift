import NIOCore

/// Connections that are opened to learn whether the server accepts a login, a protocol version or a
/// database: a few at one time, however many clients come at once.
final class LoginQueue {
  private static let limit = 32
  private static let pause = TimeAmount.milliseconds(250)

  private struct Login {
    let key: UpstreamKey
    let deadline: NIODeadline
    let done: (Result<Upstream, UpstreamFailure>) -> Void
  }

  private unowned let lane: ProxyLane
  private var waiting = CircularBuffer<Login>(initialCapacity: 1)
  private var opening = 0

  init(_ lane: ProxyLane) { self.lane = lane }

  /// Calls back once. Whatever the server says is final; for one that is away it waits.
  func add(
    _ key: UpstreamKey, until deadline: NIODeadline,
    _ done: @escaping (Result<Upstream, UpstreamFailure>) -> Void
  ) {
    waiting.append(Login(key: key, deadline: deadline, done: done))
    openMore()
  }

  private func openMore() {
    while opening < Self.limit, let login = waiting.popFirst() {
      guard lane.now < login.deadline else {
        login.done(.failure(.unreachable("others had to wait, too")))
        continue
      }
      opening += 1
      lane.open(login.key, avoiding: [], until: login.deadline) { [self] result in
        if case .failure(.unreachable) = result, lane.now + Self.pause < login.deadline {
          lane.eventLoop.assumeIsolated().scheduleTask(in: Self.pause) { [self] in
            opening -= 1
            waiting.append(login)
            openMore()
          }
          return
        }
        opening -= 1
        login.done(result)
        openMore()
      }
    }
  }
}
