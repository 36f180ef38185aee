import RESP

extension CommandTable {
  /// The table of a server's answer to `COMMAND`
  /// (https://redis.io/docs/latest/commands/command): its flags say what only reads and what
  /// blocks. Nil if the answer is none.
  init?(reply: RESPValue) {
    guard let commands = reply.array, !commands.isEmpty else { return nil }
    var listed: [Entry] = []
    var knowsSetInfo = false
    for command in commands {
      guard let parts = command.array, parts.count >= 3, let name = parts[0].string else {
        continue
      }
      var flags = Set((parts[2].array ?? []).compactMap(\.string))
      // Before version 7 no flag says what blocks, only its category.
      let categories = parts.count > 6 ? parts[6].array ?? [] : []
      if categories.contains(where: { $0.string == "@blocking" }) { flags.insert("blocking") }
      listed.append(Self.entry(name.lowercased(), flags: flags))
      if name.lowercased() == "client", parts.count > 9 {
        knowsSetInfo = (parts[9].array ?? []).contains {
          $0.array?.first?.string?.lowercased() == "client|setinfo"
        }
      }
    }
    guard !listed.isEmpty else { return nil }
    self.init(listed + Self.foreign, knowsSetInfo: knowsSetInfo)
  }

  /// What flags mean here, and the commands that they say too little about.
  static func entry(_ name: String, flags: Set<String>) -> Entry {
    if let kind = CommandKind(special: name) {
      return Entry(name: name, kind: kind, isRead: kind == .blockingOnRequest && name == "xread")
    }
    let blocks = flags.contains("blocking") || Self.blocking.contains(name)
    let kind: CommandKind = blocks ? .blocking : .plain
    let isRead =
      kind == .plain && flags.contains("readonly") && !flags.contains("write")
      && !primaryReads.contains(name)
    return Entry(name: name, kind: kind, isRead: isRead)
  }

  /// Commands flagged as reads that need the primary all the same: cursors mean something to the
  /// server that gave them only, scripts are known where they were loaded, and `TOUCH` and `OBJECT`
  /// are about the use of a key.
  private static let primaryReads: Set<String> = [
    "scan", "sscan", "hscan", "zscan", "evalsha_ro", "touch", "object",
  ]
}

extension CommandKind {
  /// The commands that change the state of their connection, by name: flags do not tell.
  init?(special name: String) {
    switch name {
    case "multi": self = .transaction(.multi)
    case "exec": self = .transaction(.exec)
    case "discard": self = .transaction(.discard)
    case "watch": self = .transaction(.watch)
    case "unwatch": self = .transaction(.unwatch)
    case "auth": self = .session(.auth)
    case "hello": self = .session(.hello)
    case "client": self = .session(.client)
    case "select": self = .session(.select)
    case "reset": self = .session(.reset)
    case "quit": self = .session(.quit)
    case "subscribe", "psubscribe", "ssubscribe", "unsubscribe", "punsubscribe", "sunsubscribe",
      "monitor", "readonly", "readwrite", "asking":
      self = .takesOver
    case "xread", "xreadgroup": self = .blockingOnRequest
    case "wait", "waitaof": self = .waitForReplicas
    case "sync", "psync", "replconf": self = .replication
    case "script": self = .script
    case "post", "host:": self = .foreign
    default: return nil
    }
  }
}
