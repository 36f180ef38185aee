import Glibc
import LocalServers

/// Finds the executable under test.
enum HookExecutable {
  private static let name = "exactly-one-pod-hook"

  /// `EXACTLY_ONE_POD_HOOK` in the environment, else what was built beside the tests.
  static func path() throws -> String {
    if let variable = getenv("EXACTLY_ONE_POD_HOOK") { return String(cString: variable) }
    let candidates = directories.map { "\($0)/\(name)" }
    for candidate in candidates where access(candidate, X_OK) == 0 { return candidate }
    throw LocalServersError(
      .missingExecutable,
      "\(name) is at none of \(candidates.joined(separator: ", ")): run `swift build --build-tests`,"
        + " or set EXACTLY_ONE_POD_HOOK to its path")
  }

  /// Where build products may be: beside this process's executable, beside the test bundle that a
  /// test runner was told, and in the package's default place.
  private static var directories: [String] {
    var directories: [String] = []
    if let own = linkTarget("/proc/self/exe") { directories.append(parent(own)) }
    for argument in CommandLine.arguments where argument.contains(".xctest") {
      // Either the bundle or, inside of it, its executable.
      let end = argument.firstRange(of: ".xctest")?.lowerBound ?? argument.endIndex
      directories.append(parent(String(argument[..<end])))
    }
    directories.append(parent(parent(parent(parent(#filePath)))) + "/.build/debug")
    return directories
  }

  private static func linkTarget(_ path: String) -> String? {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink(path, &buffer, buffer.count)
    let bytes = buffer.prefix(max(count, 0)).map(UInt8.init(bitPattern:))
    return count > 0 ? String(decoding: bytes, as: UTF8.self) : nil
  }

  private static func parent(_ path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
  }
}
