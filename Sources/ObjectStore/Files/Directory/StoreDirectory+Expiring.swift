import Glibc

extension StoreDirectory {
  private static let mark = "expiring"

  /// Whether a value with an expiry was ever stored. If not, no sweep needs to look at any.
  var mayHaveExpiring: Bool { faccessat(root.number, Self.mark, F_OK, 0) == 0 }

  /// - Throws: ``FileFault``.
  func markExpiring() throws(FileFault) {
    _ = try Descriptor(in: root.number, Self.mark, O_WRONLY | O_CREAT)
    try root.sync()
  }

  /// Whether the file system says which reads would wait for the disk.
  ///
  /// - Throws: ``FileFault``.
  func tellsWaiting() throws(FileFault) -> Bool {
    let name = "probe"
    defer { unlinkat(own.number, name, 0) }
    return FileReader(try Descriptor(in: own.number, name, O_RDWR | O_CREAT)).tellsWaiting
  }
}
