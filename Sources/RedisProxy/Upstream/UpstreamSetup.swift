import RESP
import RedisClient

/// What the server said on a new connection.
struct Greeting: Sendable {
  /// The answer to `HELLO`, where the server knows it and lets the user in.
  var hello: RESPValue?
  /// `master` or `slave`; nil where the server does not say.
  var role: String?
  /// Whether a replica follows its primary; true for others.
  var isLinked = true
  var table: CommandTable?

  /// Takes the answer to `ROLE`.
  mutating func learn(role reply: RESPValue) {
    role = reply.array?.first?.string
    // https://redis.io/docs/latest/commands/role: slave, host, port, state of the link, offset.
    if role == "slave", let parts = reply.array, parts.count > 3 {
      isLinked = parts[3].string == "connected"
    }
  }
}

/// The steps on a new connection: log in, protocol version, database, role, commands.
///
/// A server that asks for a login that nobody configured is not an error for version 2: the client
/// is told so by the server itself, command by command.
struct UpstreamSetup {
  private enum Step { case auth, hello, select, role, commands, done }

  enum Action {
    case send(RESPCommand)
    case ready(Greeting)
    case refused(String)
  }

  private let version: RESPVersion
  private let database: Int
  private let credentials: RedisCredentials?
  private let wantsTable: Bool
  private var step = Step.auth
  private var isLocked = false
  private var greeting = Greeting()

  init(
    version: RESPVersion, database: Int, credentials: RedisCredentials?, wantsTable: Bool
  ) {
    self.version = version
    self.database = database
    self.credentials = credentials
    self.wantsTable = wantsTable
  }

  mutating func begin() -> Action {
    guard let credentials else { return sayHello() }
    step = .auth
    guard let username = credentials.username else {
      return .send(RESPCommand("AUTH", .string(credentials.password)))
    }
    return .send(RESPCommand("AUTH", .string(username), .string(credentials.password)))
  }

  mutating func receive(_ reply: RESPValue) -> Action {
    let error = reply.error
    switch step {
    case .auth:
      if let error { return .refused(withoutPassword(error)) }
      return sayHello()
    case .hello:
      if let error {
        guard version == .two else { return .refused(error) }
        isLocked = reply.errorCode == "NOAUTH"
      } else {
        greeting.hello = reply
      }
      return select()
    case .select:
      if let error { return .refused(error) }
      return askRole()
    case .role:
      greeting.learn(role: reply)
      return askCommands()
    case .commands:
      greeting.table = CommandTable(reply: reply)
      return finish()
    case .done: return .ready(greeting)
    }
  }

  /// Servers repeat the arguments of a command that they do not know.
  private func withoutPassword(_ error: String) -> String {
    guard error.hasPrefix("ERR unknown command") else { return error }
    return "ERR the server does not know AUTH"
  }

  private mutating func sayHello() -> Action {
    step = .hello
    return .send(RESPCommand("HELLO", .integer(Int64(version.rawValue))))
  }

  private mutating func select() -> Action {
    guard database != 0 else { return askRole() }
    step = .select
    return .send(RESPCommand("SELECT", .integer(Int64(database))))
  }

  private mutating func askRole() -> Action {
    guard !isLocked else { return finish() }
    step = .role
    return .send(RESPCommand("ROLE"))
  }

  private mutating func askCommands() -> Action {
    guard wantsTable else { return finish() }
    step = .commands
    return .send(RESPCommand("COMMAND"))
  }

  private mutating func finish() -> Action {
    step = .done
    return .ready(greeting)
  }
}
