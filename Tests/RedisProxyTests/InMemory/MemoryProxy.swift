import Logging
import NIOCore
import NIOEmbedded
import RESP
import RedisClient

@testable import RedisProxy

/// One event loop of the proxy with clients and servers in memory, and a clock that the test moves.
final class MemoryProxy {
  let loop = EmbeddedEventLoop()
  let lane: ProxyLane
  private let network: MemoryNetwork
  private var clients: [EmbeddedChannel] = []

  /// Port 1 is the primary, 2 to 4 are replicas.
  static let primary = 1

  init(
    splitsReads: Bool = false, configure: (inout ProxyConfiguration) -> Void = { _ in },
    resolver: NameLookup.Resolver? = nil
  ) throws {
    // Zero is the distant past.
    loop.advanceTime(by: .hours(1))
    let network = MemoryNetwork(loop)
    self.network = network
    var configuration = ProxyConfiguration(primary: [RedisAddress(host: "127.0.0.1", port: 1)])
    configuration.splitsReads = splitsReads
    configuration.reader = [RedisAddress(host: "127.0.0.1", port: 2)]
    configure(&configuration)
    lane = ProxyLane(
      eventLoop: loop, configuration: configuration, gate: ClientGate(limit: 1000),
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
      dial: { _, address, _ in network.connect(to: address) })
    if let resolver { lane.names.resolver = resolver }
    lane.warmUp()
    run()
  }

  /// Handles all that can be handled now; servers answer greetings by themselves.
  func run() {
    repeat { loop.run() } while network.handle()
  }

  /// In steps, so that servers answer meanwhile.
  func advance(by time: TimeAmount) {
    let end = loop.now + time
    while loop.now < end {
      loop.advanceTime(by: min(.milliseconds(50), end - loop.now))
      run()
    }
  }

  /// Nobody answers at a port.
  func unplug(_ port: Int) {
    network.unplugged.insert(port)
    for server in connections(to: port) { server.channel.close(promise: nil) }
    run()
  }

  func plug(_ port: Int) { network.unplugged.remove(port) }

  /// New connections to a port are never made, those that there are stay.
  func refuse(_ port: Int) { network.unplugged.insert(port) }

  /// What a server says about itself from now on.
  func becomesReplica(_ port: Int, _ isReplica: Bool) {
    if isReplica { network.replicas.insert(port) } else { network.replicas.remove(port) }
  }

  /// Whether a replica says that it follows its primary.
  func isLinked(_ port: Int, _ isLinked: Bool) {
    if isLinked { network.unlinked.remove(port) } else { network.unlinked.insert(port) }
  }

  /// Whether `ROLE` is refused.
  var mayNotAsk: Bool {
    get { network.mayNotAsk }
    set { network.mayNotAsk = newValue }
  }

  /// Whether servers keep new connections waiting.
  var holdsGreetings: Bool {
    get { network.holdsGreetings }
    set { network.holdsGreetings = newValue }
  }

  /// Open connections to a server, in the order in which they were made.
  func connections(to port: Int) -> [MemoryServer] {
    network.servers.filter { $0.port == port && $0.channel.isActive }
  }

  /// Connections that were ever made or tried.
  var attempts: Int { network.attempts }

  /// The connection to the primary that clients share.
  var shared: MemoryServer { get throws { try server(Self.primary) } }

  func server(_ port: Int, at index: Int = 0) throws -> MemoryServer {
    let all = connections(to: port)
    guard all.indices.contains(index) else { throw MissingConnection(port: port, count: all.count) }
    return all[index]
  }

  func connect() throws -> MemoryClient {
    let client = try MemoryClient(self)
    clients.append(client.channel)
    run()
    return client
  }

  // A channel has to be closed when it goes.
  deinit {
    for channel in clients + network.servers.map(\.channel) { channel.close(promise: nil) }
    loop.run()
  }
}

struct MissingConnection: Error {
  let port: Int
  let count: Int
}

/// The servers' side.
private final class MemoryNetwork {
  let loop: EmbeddedEventLoop
  var servers: [MemoryServer] = []
  var unplugged: Set<Int> = []
  var replicas: Set<Int> = [2, 3, 4]
  var unlinked: Set<Int> = []
  var mayNotAsk = false
  var holdsGreetings = false
  var attempts = 0

  init(_ loop: EmbeddedEventLoop) { self.loop = loop }

  func connect(to address: SocketAddress) -> EventLoopFuture<any Channel> {
    attempts += 1
    let port = address.port ?? 0
    guard !unplugged.contains(port) else {
      return loop.makeFailedFuture(IOError(errnoCode: 111, reason: "connect"))
    }
    let channel = EmbeddedChannel(handlers: [], loop: loop)
    channel.connect(to: address, promise: nil)
    servers.append(MemoryServer(channel, port))
    return loop.makeSucceededFuture(channel)
  }

  private func role(of port: Int) -> String {
    if mayNotAsk { return "-NOPERM no\r\n" }
    guard replicas.contains(port) else { return "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n" }
    let link = unlinked.contains(port) ? "$7\r\nconnect\r\n" : "$9\r\nconnected\r\n"
    return "*5\r\n$5\r\nslave\r\n$1\r\na\r\n:1\r\n\(link):0\r\n"
  }

  func handle() -> Bool {
    var hasWorked = false
    for server in servers where server.channel.isActive {
      if !holdsGreetings, server.receive(role: role(of: server.port)) { hasWorked = true }
    }
    return hasWorked
  }
}

/// The far end of one connection that the proxy has made.
final class MemoryServer {
  let channel: EmbeddedChannel
  let port: Int
  /// Commands that were not answered yet, their words joined by blanks, cut after 40 bytes.
  private(set) var received: [String] = []
  private var bytes = ByteBuffer()

  init(_ channel: EmbeddedChannel, _ port: Int) {
    self.channel = channel
    self.port = port
  }

  /// Bytes that are no complete command yet.
  var partial: Int { bytes.readableBytes }
  var isOpen: Bool { channel.isActive }

  func answer(_ reply: String) throws {
    if !received.isEmpty { received.removeFirst() }
    try send(reply)
  }

  /// Without anybody having asked.
  func send(_ text: String) throws { try channel.writeInbound(ByteBuffer(string: text)) }

  fileprivate func receive(role: String) -> Bool {
    var hasRead = false
    while let piece = (try? channel.readOutbound(as: ByteBuffer.self)) ?? nil {
      bytes.writeImmutableBuffer(piece)
      hasRead = true
    }
    var scanner = RESPCommandScanner()
    while bytes.readableBytes > 0, (try? scanner.scan(bytes.readableBytesUInt8Span)) == .command,
      let command = bytes.readSlice(length: scanner.length)
    {
      scanner.reset()
      let words = CommandArguments(command).words.map { String(buffer: $0) }
      switch words.first?.uppercased() {
      case "HELLO":
        try? send("*4\r\n$6\r\nserver\r\n$5\r\nredis\r\n$2\r\nid\r\n:7\r\n")
      case "ROLE": try? send(role)
      case "DBSIZE": try? send(":0\r\n")
      case "AUTH", "SELECT": try? send("+OK\r\n")
      case "COMMAND": try? send("-ERR not here\r\n")
      default: received.append(String(words.joined(separator: " ").prefix(40)))
      }
    }
    return hasRead
  }
}

/// A client of the proxy.
final class MemoryClient {
  let channel: EmbeddedChannel
  let handler: ClientHandler
  private let proxy: MemoryProxy

  fileprivate init(_ proxy: MemoryProxy) throws {
    self.proxy = proxy
    handler = ClientHandler(lane: proxy.lane, number: 1)
    channel = EmbeddedChannel(handlers: [], loop: proxy.loop)
    channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 9), promise: nil)
    try channel.pipeline.syncOperations.addHandler(handler)
  }

  var isOpen: Bool { channel.isActive }

  static func encode(_ words: [String]) -> String {
    "*\(words.count)\r\n" + words.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined()
  }

  /// Sends commands, their words separated by blanks, in one piece.
  func send(_ commands: String...) throws {
    try write(
      commands.map { Self.encode($0.split(separator: " ").map(String.init)) }.joined())
  }

  /// Sends bytes, in pieces as a socket would bring them.
  func write(_ text: String) throws {
    var rest = ByteBuffer(string: text)
    while let piece = rest.readSlice(length: min(64 << 10, rest.readableBytes)),
      piece.readableBytes > 0
    {
      try channel.writeInbound(ByteBuffer(bytes: piece.readableBytesView))
      channel.pipeline.fireChannelReadComplete()
      proxy.run()
    }
  }

  /// Sends no more.
  func closeInput() {
    channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    proxy.run()
  }

  /// Stops or begins to read.
  func reads(_ reads: Bool) {
    channel.isWritable = reads
    channel.pipeline.fireChannelWritabilityChanged()
    proxy.run()
  }

  /// What it has received since it last looked.
  func received() throws -> String {
    proxy.run()
    var text = ""
    while let piece = try channel.readOutbound(as: ByteBuffer.self) {
      text += String(buffer: piece)
    }
    return text
  }
}
