/// The members of a JSON object in the order in which they came. Equality ignores that order, as
/// RFC 8259 does.
package struct JSONObject: Sendable, Hashable {
  package private(set) var members: [(key: String, value: JSONValue)] = []
  /// Where each key is in `members`.
  private var positions: [String: Int] = [:]

  package init() {}

  package subscript(key: String) -> JSONValue? {
    get { positions[key].map { members[$0].value } }
    set {
      switch (positions[key], newValue) {
      case (let position?, let value?): members[position].value = value
      case (let position?, nil):
        members.remove(at: position)
        positions[key] = nil
        for index in position..<members.count { positions[members[index].key] = index }
      case (nil, let value?):
        positions[key] = members.count
        members.append((key, value))
      case (nil, nil): break
      }
    }
  }

  package static func == (left: JSONObject, right: JSONObject) -> Bool {
    left.members.count == right.members.count
      && left.members.allSatisfy { right[$0.key] == $0.value }
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(Set(positions.keys))
  }
}
