import Glibc

/// Makes a directory for the time of the body.
func withTemporaryDirectory<Result>(
  _ body: (String) async throws -> Result
) async throws -> Result {
  var template = Array("/tmp/servicekit-XXXXXX".utf8CString)
  guard mkdtemp(&template) != nil else { throw FileFailure(path: "/tmp", code: errno) }
  let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  defer { removeTree(path) }
  return try await body(path)
}

struct FileFailure: Error {
  let path: String
  let code: Int32
}

/// Replaces the contents of a file at once, as an editor or an atomic writer does.
func write(_ text: String, to path: String) throws {
  let temporary = path + ".new"
  let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
  guard descriptor >= 0 else { throw FileFailure(path: path, code: errno) }
  defer { close(descriptor) }
  var text = text
  let count = text.withUTF8 { Glibc.write(descriptor, $0.baseAddress, $0.count) }
  guard count == text.utf8.count, rename(temporary, path) == 0 else {
    throw FileFailure(path: path, code: errno)
  }
}

private func removeTree(_ path: String) {
  // A link goes away by itself, not what it leads to.
  if unlink(path) == 0 { return }
  if let directory = opendir(path) {
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    closedir(directory)
    for name in names { removeTree(path + "/" + name) }
  }
  remove(path)
}
