import Glibc
import NIOCore
import Testing

@testable import ObjectStore

@Suite("File store: files that are not in memory")
struct ColdFileTests {
  @Test(
    "Values that the disk has to be waited for are the same",
    arguments: [0, 10, 9_000, 60_000, 3_000_000])
  func cold(_ size: Int) async throws {
    try await withTemporaryDirectory(in: diskParent) { directory in
      let store = try fileStore(directory)
      let key = try ObjectKey("key")
      let info = try await store.write(
        key, WriteRequest(length: size), from: PatternSource(size: size, seed: 6))
      let forget = { try Self.forget("\(directory)/values/key=") }

      try forget()
      try await expectPattern(store, key, size: size, seed: 6)
      try forget()
      #expect(try await store.head(key, ReadRequest()) == .content(info, .whole))
      guard size > 0 else { return }
      try forget()
      let range = (size / 3)..<(size / 3 + min(size / 2, 20_000))
      let request = ReadRequest(range: .closed(range.lowerBound...(range.upperBound - 1)))
      try await store.read(key, request) { answer in
        guard case .content(info, .range(range), let content) = answer else {
          Issue.record("no range: \(answer)")
          return
        }
        var offset = range.lowerBound
        while let bytes = try await content.next() {
          #expect(Pattern.matches(bytes, from: offset, seed: 6))
          offset += bytes.readableBytes
          try forget()
        }
        #expect(offset == range.upperBound)
      }
    }
  }

  @Test(
    "A part that is in memory and one that is not make one value", arguments: [7_000, 2_000_000])
  func halfCold(_ size: Int) async throws {
    try await withTemporaryDirectory(in: diskParent) { directory in
      let store = try fileStore(directory)
      let key = try ObjectKey("key")
      _ = try await store.write(
        key, WriteRequest(length: size), from: PatternSource(size: size, seed: 6))
      for page in [0, 1, 64, 400] {
        try Self.forget("\(directory)/values/key=")
        try Self.warm("\(directory)/values/key=", page)
        try await expectPattern(store, key, size: size, seed: 6)
      }
    }
  }

  /// Gets one page of a file into memory, and no other.
  private static func warm(_ path: String, _ page: Int) throws {
    let file = open(path, O_RDONLY)
    guard file >= 0 else { throw TestFault("cannot open \(path)") }
    defer { close(file) }
    #expect(posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM) == 0)
    var byte: UInt8 = 0
    _ = pread(file, &byte, 1, off_t(page) * 4096)
  }

  /// Lets the operating system drop what it keeps of a file in memory.
  private static func forget(_ path: String) throws {
    let file = open(path, O_RDONLY)
    guard file >= 0 else { throw TestFault("cannot open \(path)") }
    defer { close(file) }
    #expect(posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0)
  }
}
