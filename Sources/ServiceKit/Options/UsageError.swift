/// One option that cannot be used, and why.
package struct OptionFault: Hashable, Sendable, CustomStringConvertible {
  /// The option as it is written on the command line, with `--`; `nil`: there is only a variable.
  package let option: String?

  /// The environment variable that gave the value; `nil`: the command line did.
  package let variable: String?

  /// The value; `nil` if it is a secret, or if there is none.
  package let value: String?

  /// What is allowed instead, as a noun phrase: "a whole number from 1 to 65535".
  package let allowed: String

  /// One line for people.
  package var description: String {
    let source =
      switch (option, variable) {
      case (let option?, let variable?): "\(option) (from the environment variable \(variable))"
      case (let name?, nil), (nil, let name?): name
      case (nil, nil): "options"
      }
    let shown = value.map { "'\(OneLine.text(of: $0, limit: 200))' is not allowed" } ?? "not usable"
    return OneLine.text(of: "\(source): \(shown); allowed: \(allowed)", limit: 1000)
  }
}

/// All that is wrong with the options of a command; it ends with exit code 64.
package struct UsageError: Error, Hashable, Sendable, CustomStringConvertible {
  /// At least one.
  package let faults: [OptionFault]

  /// One line for each fault.
  package var description: String { faults.map(\.description).joined(separator: "\n") }
}

/// Puts text from outside on one line.
enum OneLine {
  /// The text with control characters as spaces, cut after `limit` characters.
  static func text(of text: String, limit: Int) -> String {
    var result = ""
    for character in text.prefix(limit) {
      let isControl = character.unicodeScalars.contains {
        $0.properties.generalCategory == .control
      }
      if isControl || character.isNewline {
        if result.last != " " { result.append(" ") }
      } else {
        result.append(character)
      }
    }
    return text.count > limit ? result + "…" : result
  }
}
