import ObjectStore

/// Reads the query of a listing.
enum ListQuery {
  /// - Parameter query: `name=value` pairs by `&`, encoded as those of forms: a plus is a space.
  static func request(_ query: String) throws(Refusal) -> ListRequest {
    var request = ListRequest()
    var seen: Set<String> = []
    for pair in query.split(separator: "&") {
      let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = try text(halves[0], of: "the query")
      let value = try halves.count > 1 ? text(halves[1], of: name) : ""
      guard seen.insert(name).inserted else {
        throw .badRequest("the parameter \(name) is there more than once")
      }
      switch name {
      case "prefix": request.prefix = try bounded(value, of: name)
      case "after": request.after = try bounded(value, of: name)
      case "limit":
        guard let limit = Int(value), (1...ListRequest.maximumLimit).contains(limit) else {
          throw .badRequest("limit has to be a number from 1 to \(ListRequest.maximumLimit)")
        }
        request.limit = limit
      case "delimiter":
        guard !value.isEmpty else { throw .badRequest("delimiter has to have a character") }
        request.delimiter = try bounded(value, of: name)
      default:
        throw .badRequest(
          "unknown parameter; allowed are prefix, limit, after and delimiter")
      }
    }
    return request
  }

  private static func text(_ encoded: Substring, of name: String) throws(Refusal) -> String {
    guard let bytes = PercentEncoding.decode(encoded.utf8, plusIsSpace: true) else {
      throw .badRequest("\(name) has a % that is not followed by two hexadecimal digits")
    }
    guard let text = String(validating: bytes, as: UTF8.self), !encoded.contains("\u{FFFD}") else {
      throw .badRequest("\(name) is not UTF-8")
    }
    return text
  }

  private static func bounded(_ value: String, of name: String) throws(Refusal) -> String {
    guard value.utf8.count <= ObjectKey.maximumLength, !value.utf8.contains(0) else {
      throw .badRequest(
        "\(name) has to be part of a key: at most \(ObjectKey.maximumLength) bytes, without NUL")
    }
    return value
  }
}
