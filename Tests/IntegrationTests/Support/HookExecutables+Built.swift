import Glibc
import LocalKubelet
import LocalServers

extension HookExecutables {
  /// The executables under test: in the folder `HOOK_EXECUTABLES` of the environment, else beside
  /// the tests.
  static func built() throws -> HookExecutables {
    if let variable = getenv("HOOK_EXECUTABLES") {
      return HookExecutables(directory: String(cString: variable))
    }
    for directory in directories {
      let executables = HookExecutables(directory: directory)
      if HookProgram.allCases.allSatisfy({ access(executables[$0], X_OK) == 0 }) {
        return executables
      }
    }
    throw LocalServersError(
      .missingExecutable,
      "the hooks are in none of \(directories.joined(separator: ", ")): run "
        + "`swift build --build-tests`, or set HOOK_EXECUTABLES to their folder")
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
