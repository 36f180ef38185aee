/// One entry of an `Accept` header, or a content type (RFC 9110, section 12.5.1).
struct MediaRange {
  /// In lower case: `text/plain`, `*/*`.
  let type: String
  /// Names in lower case, values without quotes.
  let parameters: [String: String]
  /// From 0 to 1; 1 if nothing is said.
  let quality: Double

  init(_ text: Substring) {
    let parts = text.split(separator: ";", omittingEmptySubsequences: false)
    type = Self.trim(parts.first ?? "").lowercased()
    var parameters: [String: String] = [:]
    for part in parts.dropFirst() {
      let halves = part.split(separator: "=", maxSplits: 1)
      guard halves.count == 2 else { continue }
      var value = Self.trim(halves[1])
      if value.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") {
        value = String(value.dropFirst().dropLast())
      }
      parameters[Self.trim(halves[0]).lowercased()] = value
    }
    let quality = parameters.removeValue(forKey: "q").flatMap(Double.init) ?? 1
    self.quality = quality.isNaN ? 0 : min(max(quality, 0), 1)
    self.parameters = parameters
  }

  /// The entries of a header, bounded: a longer list is cut.
  static func list(_ header: String) -> [MediaRange] {
    header.split(separator: ",").prefix(64).map { MediaRange($0) }
  }

  private static func trim(_ text: Substring) -> String {
    var text = text.drop { $0 == " " || $0 == "\t" }
    while let last = text.last, last == " " || last == "\t" { text.removeLast() }
    return String(text)
  }
}
