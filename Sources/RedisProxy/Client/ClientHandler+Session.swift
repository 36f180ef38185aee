import NIOCore
import RESP
import RedisClient

/// What the proxy answers itself: commands about the client's own connection.
extension ClientHandler {
  /// Answers a command that was taken from the input, at once or later.
  func answer(_ command: SessionCommand, _ arguments: CommandArguments) {
    switch command {
    case .auth: authenticate(arguments)
    case .hello: greet(arguments)
    case .client: answerClient(arguments)
    case .select: select(arguments)
    case .reset: reset()
    case .quit:
      reply(.simpleString("OK"))
      discardInput()
    }
  }

  func answerError(_ text: String) { reply(.simpleError(text)) }

  private func answerWrongArity(_ name: String) {
    answerError("ERR wrong number of arguments for '\(name)' command")
  }

  // MARK: AUTH

  private func authenticate(_ arguments: CommandArguments) {
    guard arguments.count >= 2 else { return answerWrongArity("auth") }
    guard arguments.count <= 3 else { return answerError("ERR syntax error") }
    let credentials = RedisCredentials(
      username: arguments.count == 3 ? arguments[1] : nil,
      password: arguments[arguments.count - 1] ?? "")
    var key = key(.primary)
    key.identity = .client(credentials)
    logIn(key) { client, _ in
      client.use(key)
      client.reply(.simpleString("OK"))
    }
  }

  /// Opens a connection with new credentials: the server itself decides about them, every time.
  private func logIn(
    _ key: UpstreamKey, _ then: @escaping (ClientHandler, Greeting) -> Void
  ) {
    wait = .session
    let deadline = lane.now + lane.configuration.connectTimeout
    lane.logins.add(key, until: deadline) { [self] result in
      guard !isGone else {
        if case .success(let upstream) = result { upstream.close() }
        return
      }
      wait = .none
      switch result {
      case .success(let upstream):
        lane.pool(key).welcome(upstream)
        then(self, upstream.greeting)
      case .failure(let failure):
        answerError(failure.reply(.primary))
        // What follows must not run as another user or in another database.
        if !Self.isAnswer(failure, to: key) { discardInput() }
      }
      lane.advanceLater(self)
    }
  }

  /// Whether a server has refused because of what the client said, so that the client stays where it
  /// was, as on a connection to the server itself.
  private static func isAnswer(_ failure: UpstreamFailure, to key: UpstreamKey) -> Bool {
    guard case .refused(let text) = failure, !text.hasPrefix("ERR max number") else { return false }
    return key.identity != .proxy || !text.hasPrefix("WRONGPASS")
  }

  /// From now on commands go where clients with this key go.
  private func use(_ key: UpstreamKey) {
    identity = key.identity
    version = key.version
    database = key.database
    (primary, reader) = (nil, nil)
  }

  /// Waits for a shared connection with this key, which proves that the server accepts it.
  private func prove(
    _ key: UpstreamKey, _ then: @escaping (ClientHandler, Greeting) -> Void
  ) {
    if let upstream = lane.pool(key).shared.usable() {
      then(self, upstream.greeting)
    } else {
      logIn(key, then)
    }
  }

  // MARK: HELLO

  private func greet(_ arguments: CommandArguments) {
    var key = key(.primary)
    var newName: ByteBuffer?
    var brings = false
    if let text = arguments[1] {
      guard let number = Int64(text) else {
        return answerError("ERR Protocol version is not an integer or out of range")
      }
      guard let version = RESPVersion(rawValue: Int(clamping: number)) else {
        return answerError("NOPROTO unsupported protocol version")
      }
      key.version = version
    }
    var index = 2
    while index < arguments.count {
      let left = arguments.count - index - 1
      if arguments.has("AUTH", at: index), left >= 2 {
        key.identity = .client(
          RedisCredentials(
            username: arguments[index + 1], password: arguments[index + 2] ?? ""))
        brings = true
        index += 3
      } else if arguments.has("SETNAME", at: index), left >= 1 {
        guard Self.isName(arguments.words[index + 1]) else {
          return answerError(Self.badName)
        }
        newName = arguments.words[index + 1]
        index += 2
      } else {
        return answerError("ERR Syntax error in HELLO option '\(arguments[index] ?? "")'")
      }
    }
    let then: (ClientHandler, Greeting) -> Void = { client, greeting in
      guard let hello = greeting.hello else {
        return client.reply(
          .simpleError(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the "
              + "HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and "
              + "select the RESP protocol version at the same time"))
      }
      client.use(key)
      if let newName { client.rename(newName) }
      client.reply(hello.replacing("id", with: .integer(Int64(client.number))))
    }
    if brings { logIn(key, then) } else { prove(key, then) }
  }

  // MARK: SELECT

  private func select(_ arguments: CommandArguments) {
    guard arguments.count == 2 else { return answerWrongArity("select") }
    guard let number = arguments[1].flatMap(Int64.init), number.description == arguments[1] else {
      return answerError("ERR value is not an integer or out of range")
    }
    guard let database = Int32(exactly: number) else {
      return answerError("ERR value is not an integer or out of range")
    }
    guard database >= 0 else {
      return answerError("ERR DB index is out of range")
    }
    var key = key(.primary)
    key.database = Int(database)
    prove(key) { client, _ in
      client.use(key)
      client.reply(.simpleString("OK"))
    }
  }

  // MARK: RESET

  private func reset() {
    giveBackOwn()
    forget()
    reply(.simpleString("RESET"))
  }

  /// As if it had just connected.
  func forget() {
    use(UpstreamKey(role: .primary))
    name = ByteBuffer()
    repliesAreOff = false
    skipsNextReply = false
    freshness = ReadYourWrites()
  }
}

extension RESPValue {
  /// A map, or a list of keys and values, with one value replaced.
  fileprivate func replacing(_ key: String, with value: RESPValue) -> RESPValue {
    guard let entries else { return self }
    return .map(
      entries.map { $0.key.string == key ? RESPMapEntry(key: $0.key, value: value) : $0 })
  }
}
