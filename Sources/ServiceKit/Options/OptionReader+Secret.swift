extension OptionReader {
  /// The largest file that is read as a secret, in bytes.
  private static let largestSecret = 64 * 1024

  /// Reads a secret: never from an argument, which every user of the machine can see.
  ///
  /// It comes from the file that the option `--<name>-file` names, else from the environment
  /// variable of `name`, else from the file that the variable with the suffix `_FILE` names. One
  /// newline at the end of a file is not part of the secret. Faults never show the secret.
  ///
  /// - Parameters:
  ///   - name: the secret's name without `-file`: `redis-password`.
  ///   - file: the value of the option `--<name>-file`.
  package mutating func secret(_ name: String, file: String?) -> Secret? {
    let variableName = EnvironmentName.twin(of: name)
    let fileVariable = variableName + "_FILE"
    if let file { return secret(inFile: file, of: name, variable: nil) }
    switch (variable(variableName), variable(fileVariable)) {
    case (let value?, nil): return Secret(value)
    case (nil, let path?): return secret(inFile: path, of: name, variable: fileVariable)
    case (nil, nil): return nil
    case (_?, _?):
      note(
        name + "-file", variable: fileVariable, value: nil,
        allowed: "either \(variableName) or \(fileVariable), not both")
      return nil
    }
  }

  private mutating func secret(
    inFile path: String, of name: String, variable: String?
  ) -> Secret? {
    let bytes: [UInt8]
    do {
      bytes = try SmallFile.read(path, limit: Self.largestSecret)
    } catch {
      note(
        name + "-file", variable: variable, value: path,
        allowed: "a file that can be read (\(error.reason))")
      return nil
    }
    guard var text = String(validating: bytes, as: UTF8.self) else {
      note(name + "-file", variable: variable, value: path, allowed: "a file with UTF-8 text")
      return nil
    }
    if text.last?.isNewline == true { text.removeLast() }
    guard !text.isEmpty else {
      note(name + "-file", variable: variable, value: path, allowed: "a file that is not empty")
      return nil
    }
    return Secret(text)
  }
}
