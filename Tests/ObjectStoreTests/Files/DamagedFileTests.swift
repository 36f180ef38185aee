import Glibc
import Testing

@testable import ObjectStore

@Suite("File store: damaged files")
struct DamagedFileTests {
  enum Damage: String, CaseIterable, Sendable {
    case empty, shorterHeader, shorter, longer, changedHeader, otherKey
  }

  @Test(
    "A damaged file is never a value, and is written over", arguments: Damage.allCases,
    [10, 300_000])
  func damaged(_ damage: Damage, size: Int) async throws {
    try await withTemporaryDirectory { directory in
      let store = try fileStore(directory)
      let text = String(repeating: "x", count: size)
      try await store.put("a/key", text)
      try await store.put("a/other", text)
      let path = "\(directory)/values/a/key="
      switch damage {
      case .empty: #expect(truncate(path, 0) == 0)
      case .shorterHeader: #expect(truncate(path, 40) == 0)
      case .shorter: #expect(truncate(path, off_t(size)) == 0)
      case .longer: try Self.change(path) { $0.append(0) }
      case .changedHeader: try Self.change(path) { $0[20] ^= 1 }
      case .otherKey: #expect(rename("\(directory)/values/a/other=", path) == 0)
      }

      do {
        _ = try await store.get("a/key")
        Issue.record("it was read")
      } catch let error as ObjectStoreError {
        #expect(error.kind == .corrupt)
        #expect(error.message.contains("a/key"))
      }
      for condition in [WriteCondition.isMissing, .matches(.any)] {
        #expect(
          try await failure { try await store.put("a/key", "new", if: condition) } == .corrupt)
        #expect(try await failure { try await store.remove("a/key", if: condition) } == .corrupt)
      }
      #expect(try await store.names() == (damage == .otherKey ? [] : ["a/other"]))

      try await store.put("a/key", "new")
      #expect(try await store.text("a/key") == "new")
      #expect(truncate(path, 1) == 0)
      try await store.remove("a/key")
      #expect(try await store.get("a/key") == .missing)
    }
  }

  @Test("A file that loses its end while it is read ends the read with an error")
  func shorterWhileRead() async throws {
    try await withTemporaryDirectory { directory in
      let store = try fileStore(directory)
      try await store.put("key", String(repeating: "x", count: 2_000_000))
      let kind = try await failure {
        try await store.read(try ObjectKey("key"), ReadRequest()) { answer in
          guard case .content(_, _, let content) = answer else { return }
          _ = try await content.next()
          #expect(truncate("\(directory)/values/key=", 1_000_000) == 0)
          while try await content.next() != nil {}
        }
      }
      #expect(kind == .corrupt)
    }
  }

  private static func change(_ path: String, _ edit: (inout [UInt8]) -> Void) throws {
    let file = open(path, O_RDWR)
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 1_000_000)
    let count = read(file, &bytes, bytes.count)
    guard count > 0 else { throw TestFault("cannot read \(path)") }
    bytes.removeLast(bytes.count - count)
    edit(&bytes)
    #expect(pwrite(file, bytes, bytes.count, 0) == bytes.count)
  }
}
