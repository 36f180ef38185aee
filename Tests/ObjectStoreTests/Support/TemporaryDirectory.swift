import Glibc

/// Runs `body` with a new directory, which is removed afterwards with all that is in it.
///
/// - Parameter parent: where it is made; in memory by default, where there is room.
func withTemporaryDirectory<Result>(
  in parent: String = scratchParent, _ body: (String) async throws -> Result
) async throws -> Result {
  var template = Array("\(parent)/object-store-XXXXXX".utf8CString)
  guard mkdtemp(&template) != nil else { throw TestFault("cannot make a directory in \(parent)") }
  let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  defer { removeTree(path) }
  return try await body(path)
}

/// A directory whose syncs are real.
let diskParent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"

private let scratchParent: String = {
  var information = statvfs()
  let isRoomy =
    statvfs("/dev/shm", &information) == 0 && access("/dev/shm", W_OK) == 0
    && information.f_bavail * information.f_frsize >= 8 << 30
  return isRoomy ? "/dev/shm" : diskParent
}()

struct TestFault: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// The relative paths of all files below a directory, sorted.
func files(below path: String) -> [String] {
  var found: [String] = []
  walk(path) { entry, isDirectory in
    if !isDirectory { found.append(String(entry.dropFirst(path.count + 1))) }
  }
  return found.sorted()
}

/// The relative paths of all directories below a directory, sorted.
func directories(below path: String) -> [String] {
  var found: [String] = []
  walk(path) { entry, isDirectory in
    if isDirectory { found.append(String(entry.dropFirst(path.count + 1))) }
  }
  return found.sorted()
}

private func removeTree(_ path: String) {
  walk(path) { entry, isDirectory in _ = isDirectory ? rmdir(entry) : unlink(entry) }
  rmdir(path)
}

/// Calls `visit` with everything below a path, what is in a directory before the directory.
private func walk(_ path: String, _ visit: (String, _ isDirectory: Bool) -> Void) {
  guard let stream = opendir(path) else { return }
  var entries: [(name: String, isDirectory: Bool)] = []
  while let entry = readdir(stream) {
    let isDirectory = Int(entry.pointee.d_type) == Int(DT_DIR)
    let name = withUnsafePointer(to: &entry.pointee.d_name) {
      $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
    if name != "." && name != ".." { entries.append((name, isDirectory)) }
  }
  closedir(stream)
  for (name, isDirectory) in entries {
    if isDirectory { walk("\(path)/\(name)", visit) }
    visit("\(path)/\(name)", isDirectory)
  }
}
