import ObjectStore
import URIEncoding

/// Reads the query of a listing.
enum ListQuery {
  private static let names = ["prefix", "limit", "after", "delimiter"]

  /// - Parameter query: `name=value` pairs by `&`, encoded as those of forms: a plus is a space.
  static func request(_ query: String) throws(Refusal) -> ListRequest {
    var request = ListRequest()
    var seen: Set<String> = []
    for pair in query.utf8.split(separator: UInt8(ascii: "&")) {
      let halves = pair.split(
        separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      let name = try text(Substring(halves[0]), of: "the query")
      // Only these names are repeated in an answer.
      guard names.contains(name) else {
        throw .badRequest("unknown parameter; allowed are prefix, limit, after and delimiter")
      }
      let value = try halves.count > 1 ? text(Substring(halves[1]), of: name) : ""
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
      default:
        guard !value.isEmpty else { throw .badRequest("delimiter has to have a character") }
        request.delimiter = try bounded(value, of: name)
      }
    }
    return request
  }

  private static func text(_ encoded: Substring, of name: String) throws(Refusal) -> String {
    guard let bytes = PercentEncoding.decode(encoded.utf8, plusIsSpace: true) else {
      throw .badRequest("\(name) has a % that is not followed by two hexadecimal digits")
    }
    guard let text = String(validating: bytes, as: UTF8.self),
      !encoded.unicodeScalars.contains("\u{FFFD}")
    else {
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
