/// Decides each option's value: the command line first, then the environment, then the default.
///
/// The reader checks values, notes every fault and goes on with the default, so that one
/// ``finish()`` at the end reports all of them together:
///
/// ```swift
/// var reader = OptionReader()
/// let port = reader.integer("port", flag: options.port, default: 9443, in: 1...65535)
/// try reader.finish()
/// ```
///
/// An environment variable that is set but empty counts as not set; an empty flag is a value.
package struct OptionReader: Sendable {
  private let environment: [String: String]
  private var faults: [OptionFault] = []
  /// Options whose value came from their variable.
  private var fromEnvironment: Set<String> = []

  /// - Parameter environment: the variables to look twins up in.
  package init(environment: [String: String] = ProcessEnvironment.current) {
    self.environment = environment
  }

  /// Ends the reading: throws if any option was not usable.
  package func finish() throws(UsageError) {
    if !faults.isEmpty { throw UsageError(faults: faults) }
  }

  /// Reads an option of any type.
  ///
  /// - Parameters:
  ///   - name: the option without dashes, as it is declared on the command line.
  ///   - allowed: what `parse` accepts, as a noun phrase for the message.
  ///   - parse: the value of a text, `nil` if it is not allowed.
  package mutating func value<Value>(
    _ name: String, flag: String?, default fallback: Value, allowed: @autoclosure () -> String,
    parse: (String) -> Value?
  ) -> Value {
    value(name, flag: flag, allowed: allowed(), parse: parse) ?? fallback
  }

  /// Reads an option of any type that may be missing.
  package mutating func value<Value>(
    _ name: String, flag: String?, allowed: @autoclosure () -> String, parse: (String) -> Value?
  ) -> Value? {
    guard let (text, variable) = text(of: name, flag: flag) else { return nil }
    if let value = parse(text) { return value }
    note(name, variable: variable, value: text, allowed: allowed())
    return nil
  }

  /// Notes a fault that only shows when options are seen together.
  ///
  /// - Parameter value: what was given, `nil` if it is a secret or nothing.
  package mutating func reject(_ name: String, value: String?, allowed: String) {
    let variable = fromEnvironment.contains(name) ? EnvironmentName.twin(of: name) : nil
    note(name, variable: variable, value: value, allowed: allowed)
  }

  mutating func note(_ name: String, variable: String?, value: String?, allowed: String) {
    faults.append(
      OptionFault(option: "--" + name, variable: variable, value: value, allowed: allowed))
  }

  /// Notes a fault of a positional argument.
  ///
  /// - Parameter name: as the help writes it, in capitals.
  package mutating func rejectArgument(_ name: String, value: String?, allowed: String) {
    faults.append(OptionFault(option: name, variable: nil, value: value, allowed: allowed))
  }

  /// Notes a fault of an environment variable that is no option's twin.
  package mutating func rejectVariable(_ name: String, value: String?, allowed: String) {
    faults.append(OptionFault(option: nil, variable: name, value: value, allowed: allowed))
  }

  /// The value of an environment variable that is set and not empty.
  func variable(_ name: String) -> String? {
    guard let value = environment[name], !value.isEmpty else { return nil }
    return value
  }

  private mutating func text(of name: String, flag: String?) -> (text: String, variable: String?)? {
    if let flag { return (flag, nil) }
    let twin = EnvironmentName.twin(of: name)
    guard let text = variable(twin) else { return nil }
    fromEnvironment.insert(name)
    return (text, twin)
  }
}
