import EventLoops
import GRPCCore
package import Logging
package import NIOCore
import ServiceLifecycle
import SwiftProtobuf
import Synchronization

/// A cluster of etcd, by its v3 interface: 3.4 and later.
///
/// One connection to each member from each event loop of the group. A call goes to one member; if
/// that does not answer within its attempt time, or says that it cannot serve now, the next one is
/// asked, until the deadline. A member that failed is asked last until a probe in the background
/// finds it well.
///
/// A call that was repeated may have been run by several members: see
/// ``EtcdTransactionResult/mayHaveRunBefore`` and ``EtcdError/mayHaveRun``.
package final class EtcdClient: Service, Sendable {
  package let addresses: [EtcdAddress]
  let configuration: EtcdConfiguration
  /// The members, once for each event loop that has connections of its own to them: what runs there
  /// uses these without a change of thread.
  private let lanes: EventLoopLanes<[EtcdEndpoint]>
  private let session = EtcdSession()
  /// The member that calls begin with.
  private let preferred: Atomic<Int>
  private let logger: Logger

  /// A client that connects once ``run()`` is called. Calls made before wait for that.
  package init(
    configuration: EtcdConfiguration, eventLoopGroup: any EventLoopGroup, logger: Logger
  ) {
    precondition(!configuration.addresses.isEmpty, "a cluster has members")
    self.configuration = configuration
    self.logger = logger
    addresses = configuration.addresses
    lanes = EventLoopLanes(
      eventLoopGroup.makeIterator().map { eventLoop in
        let deadlines = CallDeadlines(eventLoop: eventLoop)
        return (
          eventLoop,
          configuration.addresses.map {
            EtcdEndpoint($0, configuration, on: eventLoop, deadlines: deadlines, logger: logger)
          }
        )
      })
    let first = configuration.preferredMember ?? Int.random(in: 0..<configuration.addresses.count)
    preferred = Atomic(first % configuration.addresses.count)
  }

  /// Keeps the client connected until the task is cancelled or a graceful shutdown begins. Call it
  /// once.
  package func run() async throws {
    await cancelWhenGracefulShutdown { await self.runUntilCancelled() }
  }

  /// Like ``run()``, but a graceful shutdown does not end it: for an owner that still has to send
  /// something then.
  package func runUntilCancelled() async {
    await withDiscardingTaskGroup { group in
      for endpoint in lanes.all.joined() { group.addTask { await endpoint.run() } }
    }
    logger.debug("etcd client ended")
  }

  /// The members, by the connections of the event loop that this runs on.
  var endpoints: [EtcdEndpoint] { lanes[lanes.current] }

  /// The members that failed, on any connection, and have not been found well since.
  package var failingMembers: [EtcdAddress] {
    addresses.indices.filter { index in
      lanes.all.contains { $0[index].failedAt != nil }
    }.map { addresses[$0] }
  }

  static func metadata(token: String?) -> Metadata {
    // A member without a leader answers at once that it has none, rather than wait for one.
    var metadata: Metadata = ["hasleader": "true"]
    if let token { metadata.addString(token, forKey: "token") }
    return metadata
  }

  /// Members in the order in which they are asked: the preferred one and those behind it, those that
  /// failed last, the one that failed longest ago first.
  func order(of endpoints: [EtcdEndpoint]) -> [Int] {
    if endpoints.count == 1 { return [0] }
    let first = preferred.load(ordering: .relaxed)
    if endpoints[first].failedAt == nil {
      // The usual case needs no sorting: the others only matter when this one fails.
      return endpoints.indices.map { ($0 + first) % endpoints.count }
    }
    let failedAt = endpoints.map(\.failedAt)
    return endpoints.indices.map { ($0 + first) % endpoints.count }.sorted { left, right in
      switch (failedAt[left], failedAt[right]) {
      case (nil, nil), (_?, nil): false
      case (nil, _?): true
      case (let left?, let right?): left < right
      }
    }
  }

  func prefer(_ index: Int) { preferred.store(index, ordering: .relaxed) }

  // MARK: Authentication

  func metadata(deadline: NIODeadline) async throws(EtcdError) -> (Metadata, token: String?) {
    guard let credentials = configuration.credentials else {
      return (Self.metadata(token: nil), nil)
    }
    if let known = session.known { return (Self.metadata(token: known), known) }
    let timeout = Duration.nanoseconds((deadline - .now()).nanoseconds)
    let token = try await session.token(within: timeout) { [self] in
      // For all who wait for it, whatever their own deadlines are.
      await authenticate(credentials, deadline: .now() + .seconds(5))
    }
    return (Self.metadata(token: token), token)
  }

  func discard(token: String?) { session.discard(token) }

  private func authenticate(
    _ credentials: EtcdCredentials, deadline: NIODeadline
  ) async -> Result<String?, EtcdError> {
    var request = Etcdserverpb_AuthenticateRequest()
    request.name = credentials.username
    request.password = credentials.password
    do throws(EtcdError) {
      let answer: Etcdserverpb_AuthenticateResponse = try await call(
        Etcdserverpb_Auth.Method.Authenticate.descriptor, request, deadline: deadline,
        isAuthenticated: false
      ).answer
      return .success(answer.token)
    } catch {
      if error.kind == .refused, error.message.contains("authentication is not enabled") {
        return .success(nil)
      }
      return .failure(error)
    }
  }
}
