import RESP

/// The greeting on a new connection: protocol version, credentials, name and database.
///
/// `HELLO 3 AUTH … SETNAME …` does most of it at once (https://redis.io/docs/latest/commands/hello).
/// Servers that do not know it, or not that version, are spoken to in version 2.
struct ConnectionSetup {
  /// The command that waits for its reply.
  private enum Step: String {
    case hello = "HELLO"
    case auth = "AUTH"
    case setName = "CLIENT SETNAME"
    case select = "SELECT"
  }

  enum Action {
    case send(RESPCommand)
    case ready(RESPVersion)
    case fail(RedisError)
  }

  private let address: RedisAddress
  private let credentials: RedisCredentials?
  private let name: String
  private var step = Step.hello
  private var version = RESPVersion.three

  init(_ configuration: RedisConfiguration) {
    address = configuration.address
    credentials = configuration.effectiveCredentials
    name = String(configuration.clientName.filter { $0.isASCII && $0 > " " && $0 < "\u{7F}" })
  }

  /// What it waits for, for messages.
  var awaited: String { "reply to \(step.rawValue)" }

  /// The first command.
  func begin() -> RESPCommand {
    var command = RESPCommand("HELLO", 3)
    if let credentials {
      command.append("AUTH")
      command.append(credentials.username ?? "default")
      command.append(credentials.password)
    }
    if !name.isEmpty {
      command.append("SETNAME")
      command.append(name)
    }
    return command
  }

  mutating func receive(_ reply: RESPValue) -> Action {
    let code = reply.errorCode
    switch step {
    case .hello:
      guard let error = reply.error else { return selectDatabase() }
      guard code == "NOPROTO" || code == "NOPERM" || error.saysUnknownCommand else {
        return .fail(refusal(error))
      }
      version = .two
      return authenticate()
    case .auth:
      if let error = reply.error { return .fail(refusal(error)) }
      return setName()
    case .setName:
      // The name is a courtesy: a user without that permission can work all the same.
      return selectDatabase()
    case .select:
      if let error = reply.error { return .fail(refusal(error)) }
      return .ready(version)
    }
  }

  private mutating func authenticate() -> Action {
    guard let credentials else { return setName() }
    step = .auth
    var command = RESPCommand("AUTH")
    if let username = credentials.username { command.append(username) }
    command.append(credentials.password)
    return .send(command)
  }

  private mutating func setName() -> Action {
    guard !name.isEmpty else { return selectDatabase() }
    step = .setName
    return .send(RESPCommand("CLIENT", "SETNAME", .string(name)))
  }

  private mutating func selectDatabase() -> Action {
    guard address.database != 0 else { return .ready(version) }
    step = .select
    return .send(RESPCommand("SELECT", .integer(Int64(address.database))))
  }

  private func refusal(_ error: String) -> RedisError {
    let code = String(error.prefix { $0 != " " })
    // Servers repeat the arguments of a command that they do not know.
    let isSafe = credentials.map { !error.contains($0.password) } ?? true
    var message = "\(step.rawValue) was refused: \(isSafe ? String(error.prefix(200)) : code)"
    if code == "NOAUTH" { message += " (no credentials are configured)" }
    return RedisError(.server(code: code), address: address.description, message)
  }
}

extension String {
  fileprivate var saysUnknownCommand: Bool {
    lowercased().hasPrefix("err unknown command")
  }
}
