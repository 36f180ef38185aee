import Glibc
import LocalServers

/// Starts the process that uses a store in tests.
struct FileStoreProcess {
  let processes: LocalProcesses

  func start(_ arguments: String...) async throws -> LocalProcess {
    try await processes.start(
      LocalProcess.Command(
        name: "file-store-worker", executable: try Self.executable(), arguments: arguments))
  }

  static func executable() throws -> String {
    let paths = directories.map { "\($0)/file-store-worker" }
    guard let path = paths.first(where: { access($0, X_OK) == 0 }) else {
      throw TestFault("file-store-worker is none of \(paths): run `swift build --build-tests`")
    }
    return path
  }

  /// Where build products may be: beside this process's executable, beside the test bundle that a
  /// test runner was told, and in the package's default place.
  private static var directories: [String] {
    var directories: [String] = []
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = max(0, readlink("/proc/self/exe", &buffer, buffer.count))
    directories.append(
      parent(String(decoding: buffer.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)))
    for argument in CommandLine.arguments where argument.contains(".xctest") {
      // Either the bundle or, inside of it, its executable.
      let end = argument.firstRange(of: ".xctest")?.lowerBound ?? argument.endIndex
      directories.append(parent(String(argument[..<end])))
    }
    directories.append(parent(parent(parent(parent(#filePath)))) + "/.build/debug")
    return directories
  }

  private static func parent(_ path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
  }
}
