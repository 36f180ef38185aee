/// The shared `config` and `credentials` files of AWS's tools.
///
/// https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
struct AWSProfileFile {
  private(set) var profiles: [String: [String: String]] = [:]

  /// - Parameter isConfiguration: whether profiles but `default` have `profile` before their name.
  init(_ text: String, isConfiguration: Bool) {
    var profile: String?
    for line in text.split(whereSeparator: \.isNewline) {
      let trimmed = String(line).trimmingSpace()
      if trimmed.isEmpty || trimmed.hasPrefix("#") || trimmed.hasPrefix(";") { continue }
      if trimmed.hasPrefix("[") {
        profile = Self.name(of: trimmed, isConfiguration: isConfiguration)
        if let profile, profiles[profile] == nil { profiles[profile] = [:] }
        continue
      }
      // An indented line belongs to the setting above it, which is none of those read here.
      guard let profile, line.first?.isWhitespace == false,
        let separator = trimmed.firstIndex(of: "=")
      else { continue }
      let key = String(trimmed[..<separator]).trimmingSpace().lowercased()
      let value = String(trimmed[trimmed.index(after: separator)...])
      profiles[profile]?[key] = Self.withoutComment(value).trimmingSpace()
    }
  }

  private static func name(of header: String, isConfiguration: Bool) -> String? {
    guard let end = header.firstIndex(of: "]") else { return nil }
    let name = String(header[header.index(after: header.startIndex)..<end]).trimmingSpace()
    guard isConfiguration, name != "default" else { return name }
    let words = name.split(maxSplits: 1, whereSeparator: \.isWhitespace)
    guard words.count == 2, words[0] == "profile" else { return nil }
    return String(words[1]).trimmingSpace()
  }

  /// A comment in a line of a setting begins behind white space.
  private static func withoutComment(_ value: String) -> String {
    var previous: Character = "="
    for index in value.indices {
      if value[index] == "#" || value[index] == ";", previous.isWhitespace {
        return String(value[..<index])
      }
      previous = value[index]
    }
    return value
  }
}

/// One profile, as both files together have it.
struct AWSProfile: Sendable {
  let name: String
  /// Nil if no file has it.
  let settings: [String: String]?

  /// - Throws: ``AWSCredentialError`` if a file is there and cannot be read.
  init(_ environment: AWSEnvironment) throws(AWSCredentialError) {
    name = environment.profile
    let home = environment["HOME"].map { "\($0)/.aws" }
    var merged: [String: String]?
    // What `credentials` says goes before what `config` says.
    for (path, isConfiguration) in [
      (environment["AWS_CONFIG_FILE"] ?? home.map { "\($0)/config" }, true),
      (environment["AWS_SHARED_CREDENTIALS_FILE"] ?? home.map { "\($0)/credentials" }, false),
    ] {
      guard let path, let text = try Self.read(path) else { continue }
      let file = AWSProfileFile(text, isConfiguration: isConfiguration)
      if let settings = file.profiles[name] {
        merged = (merged ?? [:]).merging(settings) { $1 }
      }
    }
    settings = merged
  }

  private static func read(_ path: String) throws(AWSCredentialError) -> String? {
    do throws(SmallTextFile.Failure) {
      return try SmallTextFile.read(path)
    } catch {
      throw AWSCredentialError("a file of AWS's settings cannot be read", cause: error)
    }
  }
}
