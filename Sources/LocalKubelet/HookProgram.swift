/// One of the hooks of the family: the names of its files and containers tell which.
package enum HookProgram: String, CaseIterable, Sendable {
  case exactlyOne = "exactly-one-pod"
  case atLeastSemaphore = "at-least-semaphore-pod"

  /// The hook that a container's or an executable's name belongs to.
  init?(naming name: String) {
    guard let program = Self.allCases.first(where: { name.contains($0.rawValue) }) else {
      return nil
    }
    self = program
  }

  /// The domain of its annotations, without variant.
  package var domain: String { "\(rawValue)-hook.kaidotio.github.io" }
}

/// Where the hooks' executables are.
package struct HookExecutables: Sendable {
  /// The folder that holds them.
  package var directory: String

  package init(directory: String) { self.directory = directory }

  package subscript(program: HookProgram) -> String { "\(directory)/\(program.rawValue)-hook" }
}
