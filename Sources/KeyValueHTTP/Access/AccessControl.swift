import NIOHTTP1

/// Who may do what.
struct AccessControl: Sendable {
  /// Nil: there are no tokens.
  var tokens: TokenFile?
  /// A field that a proxy in front sets on requests that it has authenticated. Nil: there is none.
  var trustedField: String?

  /// Whether everybody may do everything.
  var isOpen: Bool { tokens == nil && trustedField == nil }

  /// - Parameter key: of the value; of a listing, the prefix.
  func check(
    _ right: Right, _ key: String, _ fields: RequestFields, _ headers: HTTPHeaders
  ) throws(Refusal) {
    if isOpen { return }
    if let trustedField, headers.first(name: trustedField)?.isEmpty == false { return }
    guard let tokens else {
      throw .unauthorized("the request was not authenticated by the proxy in front")
    }
    guard let authorization = fields.authorization else {
      throw .unauthorized("a bearer token is needed")
    }
    let halves = authorization.split(separator: " ", maxSplits: 1)
    guard halves.count == 2, "bearer".isSameIgnoringCase(halves[0]) else {
      throw .unauthorized("a bearer token is needed", error: "invalid_request")
    }
    let grants = tokens.grants(of: String(halves[1]))
    if grants.isEmpty { throw .unauthorized("the token is not known", error: "invalid_token") }
    guard grants.contains(where: { $0.allows(right, key) }) else {
      throw Refusal(
        .forbidden, "the token does not allow to \(right.rawValue) \(right.object)")
    }
  }
}

extension Right {
  fileprivate var object: String { self == .list ? "keys of this prefix" : "this key" }
}
