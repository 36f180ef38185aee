import JSON

/// Who holds a lock, for people and for the rules about copies: it proves nothing by itself.
package struct LockHolder: Sendable, Hashable {
  /// The Pod's name; for a Pod that has none yet, what it will start with (`generateName`).
  package var pod: String
  /// Whether `pod` is only the start of the name.
  package var isGeneratedName: Bool
  /// The Pod that the token is bound to; nil for a claim that no sidecar has taken over.
  package var podUID: String?
  package var node: String?
  /// The controller, as `Kind/name`.
  package var owner: String?
  /// When the lock was taken, in seconds since 1970 by the clock of who took it.
  package var since: Int

  package init(
    pod: String, isGeneratedName: Bool = false, podUID: String? = nil, node: String? = nil,
    owner: String? = nil, since: Int
  ) {
    self.pod = pod
    self.isGeneratedName = isGeneratedName
    self.podUID = podUID
    self.node = node
    self.owner = owner
    self.since = since
  }

  /// The Pod's name for messages.
  package var displayName: String { isGeneratedName ? pod + "…" : pod }
}

/// What a store keeps for a lock: the token, the Pod that it is bound to, and who that is.
///
/// The text form is `<token> <pod uid or -> <JSON>`. A value without the other parts is a bare
/// token, as other implementations of the same layout write it.
package struct LockRecord: Sendable, Hashable {
  package let token: LockToken
  /// Nil if another implementation took the lock and left no name.
  package let holder: LockHolder?

  package init(token: LockToken, holder: LockHolder?) {
    self.token = token
    self.holder = holder
  }

  package init(parsing text: String) {
    let parts = text.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
    token = LockToken(String(parts.first ?? ""))
    guard parts.count == 3, let json = try? JSONValue(parsing: String(parts[2])) else {
      holder = nil
      return
    }
    holder = LockHolder(
      pod: json["pod"]?.string ?? json["generateName"]?.string ?? "",
      isGeneratedName: json["pod"] == nil,
      podUID: parts[1] == "-" || parts[1].isEmpty ? nil : String(parts[1]),
      node: json["node"]?.string,
      owner: json["owner"]?.string,
      since: json["since"]?.integer ?? 0)
  }

  package var text: String {
    guard let holder else { return token.text }
    var writer = JSONWriter(reserving: 128)
    writer.object { object in
      object.field(holder.isGeneratedName ? "generateName" : "pod", holder.pod)
      if let node = holder.node { object.field("node", node) }
      if let owner = holder.owner { object.field("owner", owner) }
      object.field("since", holder.since)
    }
    return "\(token.text) \(holder.podUID ?? "-") \(writer.string)"
  }
}
