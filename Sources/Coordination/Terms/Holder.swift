import JSON

/// Who holds a lock, for people and for the rules about copies: it proves nothing by itself.
package struct Holder: Sendable, Hashable {
  /// The Pod's name; for a Pod that has none yet, what it will start with (`generateName`).
  package var pod: String
  /// Whether `pod` is only the start of the name.
  package var isGeneratedName: Bool
  /// The Pod that the token is bound to; nil for a claim that no sidecar has taken over.
  package var podUID: String?
  package var node: String?
  /// The controller, as `Kind/name`.
  package var owner: String?
  /// The public id of the claim that the Pod's sidecar was given: tells the sidecars of one Pod
  /// apart, which may share a key.
  package var claimID: String?
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

// MARK: - Text

extension Holder {
  /// Reads what ``text`` wrote; nil for anything else, which another implementation may have left.
  package init?(parsing text: String) {
    let parts = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let json = try? JSONValue(parsing: String(parts[1])) else { return nil }
    self.init(
      pod: json["pod"]?.string ?? json["generateName"]?.string ?? "",
      isGeneratedName: json["pod"] == nil,
      podUID: parts[0] == "-" || parts[0].isEmpty ? nil : String(parts[0]),
      node: json["node"]?.string,
      owner: json["owner"]?.string,
      since: json["since"]?.integer ?? 0)
    claimID = json["claim"]?.string
  }

  /// `<pod uid or -> <JSON>`, so that a script can tell the Pod without reading JSON.
  package var text: String {
    var writer = JSONWriter(reserving: 128)
    writer.object { object in
      object.field(isGeneratedName ? "generateName" : "pod", pod)
      if let node { object.field("node", node) }
      if let owner { object.field("owner", owner) }
      if let claimID { object.field("claim", claimID) }
      object.field("since", since)
    }
    return "\(podUID ?? "-") \(writer.string)"
  }
}
