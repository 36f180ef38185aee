import ObjectStore
import Testing

@Suite("Object stores: keys")
struct KeyTests {
  @Test(
    "Keys of every kind keep a value each, are listed in the order of their bytes, and go again",
    arguments: StoreKind.allCases)
  func everyKey(_ kind: StoreKind) async throws {
    try await withObjectStore(kind) { store in
      for key in SampleKeys.all { try await store.put(key, "value of \(key)") }
      for key in SampleKeys.all { #expect(try await store.text(key) == "value of \(key)") }
      #expect(try await store.names().map(Bytes.init) == SampleKeys.all.map(Bytes.init).sorted())

      for (index, key) in SampleKeys.all.enumerated() {
        try await store.remove(key)
        #expect(try await store.get(key) == .missing)
        guard index + 1 < SampleKeys.all.count else { continue }
        let next = SampleKeys.all[index + 1]
        #expect(try await store.text(next) == "value of \(next)")
      }
      #expect(try await store.names() == [])
    }
  }

  @Test("A key whose letters only look alike is another key", arguments: StoreKind.allCases)
  func normalization(_ kind: StoreKind) async throws {
    try await withObjectStore(kind) { store in
      try await store.put("\u{e9}", "one letter")
      #expect(try await store.get("e\u{301}") == .missing)
      try await store.put("e\u{301}", "two")
      #expect(try await store.text("\u{e9}") == "one letter")
    }
  }
}

/// The bytes of a key: strings compare by letters.
struct Bytes: Comparable, CustomStringConvertible {
  let bytes: [UInt8]

  init(_ text: String) { bytes = Array(text.utf8) }

  var description: String { String(decoding: bytes, as: UTF8.self) }

  static func < (left: Bytes, right: Bytes) -> Bool {
    left.bytes.lexicographicallyPrecedes(right.bytes)
  }
}
