import Glibc

/// The names in a directory, in no order, as the file system gives them.
final class DirectoryNames {
  private let stream: OpaquePointer

  /// - Throws: ``FileFault``.
  init(_ parent: Descriptor, _ path: String) throws(FileFault) {
    let number = try retryingInterrupts {
      openat(parent.number, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    }
    guard let stream = fdopendir(number) else {
      let fault = FileFault(code: errno)
      close(number)
      throw fault
    }
    self.stream = stream
  }

  deinit { closedir(stream) }

  /// The next name, without `.` and `..`; nil after the last one. Its memory lasts until the next
  /// call.
  ///
  /// - Throws: ``FileFault``.
  func next() throws(FileFault) -> UnsafeRawBufferPointer? {
    while true {
      errno = 0
      guard let entry = readdir(stream) else {
        if errno != 0 { throw FileFault(code: errno) }
        return nil
      }
      // The name ends where it ends: the structure may be shorter than its type says.
      let start = UnsafeRawPointer(entry) + nameOffset
      let name = UnsafeRawBufferPointer(
        start: start, count: strlen(start.assumingMemoryBound(to: CChar.self)))
      if !name.elementsEqual([dot]) && !name.elementsEqual([dot, dot]) { return name }
    }
  }

  /// - Throws: ``FileFault``.
  func all() throws(FileFault) -> [String] {
    var names: [String] = []
    while let name = try next() { names.append(String(decoding: name, as: UTF8.self)) }
    return names
  }
}

extension DirectoryNames {
  /// Calls `body` with one name after the other. A directory that is gone has none.
  static func forEach(
    in parent: Descriptor, _ path: String,
    _ body: (UnsafeRawBufferPointer) throws(ObjectStoreError) -> Void
  ) throws(ObjectStoreError) {
    let names: DirectoryNames
    do throws(FileFault) {
      names = try DirectoryNames(parent, path.isEmpty ? "." : path)
    } catch {
      if error.isMissing { return }
      throw error.error("cannot list a directory")
    }
    while true {
      let name = try explaining("cannot list a directory") { () throws(FileFault) in
        try names.next()
      }
      guard let name else { return }
      try body(name)
    }
  }
}

private let nameOffset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 19
private let dot = UInt8(ascii: ".")
