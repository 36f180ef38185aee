import Logging
import NIOCore
import NIOPosix
import RESP

/// All that one event loop has: its clients, its connections, its table of commands, its counts.
/// No command crosses from one event loop to another.
final class ProxyLane {
  /// How long a client that does not read may keep others waiting.
  static let patience = TimeAmount.seconds(2)
  /// Bytes of replies that wait for their turn, per client.
  static let heldLimit = 1 << 20
  let eventLoop: any EventLoop
  let configuration: ProxyConfiguration
  let gate: ClientGate
  let logger: Logger
  let splitsReads: Bool
  let readYourWrites: TimeAmount
  /// Whether it matters when a client's writes are answered.
  let tracksWrites: Bool
  private(set) lazy var logins = LoginQueue(self)
  private(set) lazy var names = NameLookup(self)
  /// Connects to a server.
  let dial: Dialer

  private(set) var table = CommandTable.builtIn
  var metrics = LaneMetrics()
  /// Counts under names of tables that were in use before.
  private(set) var formerCommands: [String: LaneMetrics.Commands] = [:]
  /// The time when the bytes at hand were received.
  private(set) var clock = NIODeadline.now()
  var pools: [UpstreamKey: UpstreamPool] = [:]
  var clients: [ObjectIdentifier: ClientHandler] = [:]
  private(set) var isClosed = false
  private(set) var isDraining = false
  var books: [UpstreamRole: AddressBook]
  var tlsFiles = UpstreamTLSFiles()

  var waiting: [(client: ClientHandler, until: NIODeadline)] = []
  private var dirtyUpstreams: [Upstream] = []
  private var dirtyClients: [ClientHandler] = []
  private var isFlushScheduled = false
  var lookedUpAt = NIODeadline.distantPast
  private var tableReadAt = NIODeadline.distantPast

  init(
    eventLoop: any EventLoop, configuration: ProxyConfiguration, gate: ClientGate, logger: Logger,
    dial: @escaping Dialer = Dialing.tcp
  ) {
    self.eventLoop = eventLoop
    self.dial = dial
    self.configuration = configuration
    self.gate = gate
    self.logger = logger
    splitsReads = configuration.splitsReads
    readYourWrites = configuration.readYourWrites
    tracksWrites = splitsReads && readYourWrites > .zero
    books = [
      .primary: AddressBook(configuration.addresses(.primary), near: []),
      .reader: AddressBook(configuration.addresses(.reader), near: configuration.nearRanges),
    ]
    metrics.commands = Array(repeating: .init(), count: table.entries.count)
  }

  var now: NIODeadline { eventLoop.now }

  @discardableResult
  func readClock() -> NIODeadline {
    clock = eventLoop.now
    return clock
  }

  func pool(_ key: UpstreamKey) -> UpstreamPool {
    if let pool = pools[key] { return pool }
    let pool = UpstreamPool(key: key, lane: self)
    pools[key] = pool
    return pool
  }

  /// Opens the first connections before there are clients.
  func warmUp() {
    pool(UpstreamKey(role: .primary)).shared.connect()
    if splitsReads { pool(UpstreamKey(role: .reader)).shared.connect() }
    scheduleUpkeep()
  }

  // MARK: Turns of the event loop

  func flushLater(_ upstream: Upstream) {
    dirtyUpstreams.append(upstream)
    scheduleFlush()
  }

  func flushLater(_ client: ClientHandler) {
    guard !client.isDirty else { return }
    client.isDirty = true
    dirtyClients.append(client)
    scheduleFlush()
  }

  /// The client may be able to go on.
  func advanceLater(_ client: ClientHandler) { flushLater(client) }

  /// Runs when all that was received in this turn has been handled.
  private func scheduleFlush() {
    guard !isFlushScheduled else { return }
    isFlushScheduled = true
    eventLoop.assumeIsolatedUnsafeUnchecked().execute { self.flush() }
  }

  private func flush() {
    // Clients first: what they send on goes out with the rest.
    var index = 0
    while index < dirtyClients.count {
      dirtyClients[index].flush()
      index += 1
    }
    dirtyClients.removeAll(keepingCapacity: dirtyClients.count < 1024)
    index = 0
    while index < dirtyUpstreams.count {
      dirtyUpstreams[index].flush()
      index += 1
    }
    dirtyUpstreams.removeAll(keepingCapacity: true)
    isFlushScheduled = false
    if !dirtyClients.isEmpty { scheduleFlush() }
  }

  // MARK: What servers say

  /// A connection has ended by itself.
  func closed(_ upstream: Upstream) {
    pools[upstream.key]?.closed(upstream)
    guard !upstream.isRetiring else { return }
    books[upstream.key.role]?.expire()
  }

  /// A shared connection that a slow client had stopped goes on.
  func usableAgain(_ upstream: Upstream) {
    guard let shared = pools[upstream.key]?.shared,
      shared.all.contains(where: { $0 === upstream })
    else { return }
    shared.wake()
  }

  func opened(_ upstream: Upstream) {
    metrics.connects += 1
    if let table = upstream.greeting.table { use(table) }
  }

  /// Asks the server for its commands, on a connection of its own: the answer is long.
  ///
  /// - Parameter key: of a shared connection to the primary that is new.
  func refreshTable(_ key: UpstreamKey) {
    guard tableReadAt + .seconds(5) < now else { return }
    open(key, avoiding: [], wantsTable: true) { result in
      if case .success(let upstream) = result { upstream.close() }
    }
  }

  private func use(_ table: CommandTable) {
    for (index, entry) in self.table.entries.enumerated() {
      formerCommands[entry.name, default: .init()].add(metrics.commands[index])
    }
    self.table = table
    tableReadAt = now
    metrics.commands = Array(repeating: .init(), count: table.entries.count)
  }

  // MARK: End

  /// Takes no more clients, and closes each as soon as it has all its replies.
  func drain() {
    isDraining = true
    for client in clients.values { client.end(.draining) }
  }

  func close() {
    isClosed = true
    for client in clients.values { client.close() }
    for pool in pools.values { pool.closeAll() }
  }
}

extension LaneMetrics.Commands {
  mutating func add(_ other: LaneMetrics.Commands) {
    primary += other.primary
    reader += other.reader
    own += other.own
  }
}
