import ObjectStore
import Testing

@Suite("Object stores: listing")
struct ListingTests {
  @Test("A page has keys with what is known of them", arguments: StoreKind.allCases)
  func entries(_ kind: StoreKind) async throws {
    try await withObjectStore(kind) { store in
      #expect(try await store.list(ListRequest()) == ListPage(entries: []))
      let first = try await store.putAndLook("a", "1")
      let second = try await store.putAndLook("b/c", "22", type: "text/plain")
      let page = try await store.list(ListRequest())
      #expect(
        page
          == ListPage(entries: [
            .object(ListedObject(key: "a", size: 1, etag: first.etag, modified: first.modified)),
            .object(
              ListedObject(key: "b/c", size: 2, etag: second.etag, modified: second.modified)),
          ]))
    }
  }

  @Test("Pages follow one another, and the last one says so", arguments: StoreKind.allCases)
  func paging(_ kind: StoreKind) async throws {
    try await withObjectStore(kind) { store in
      let keys = (0..<25).map { "key/\($0 / 10)/\($0 % 10)" }
      for key in keys { try await store.put(key, "") }
      for limit in [1, 2, 5, 24, 25, 26, 1000] {
        #expect(try await store.names(ListRequest(limit: limit)) == keys)
        let page = try await store.list(ListRequest(limit: limit))
        #expect(page.entries.count == min(limit, 25))
        #expect(page.next == (limit < 25 ? keys[limit - 1] : nil))
      }
      let cases: [(after: String, rest: ArraySlice<String>)] = [
        ("", keys[...]), ("key", keys[...]), ("key/0/9", keys[10...]), ("key/0/91", keys[10...]),
        ("key/1", keys[10...]), ("key/1/", keys[10...]), ("key/1/0", keys[11...]),
        ("key/1/00", keys[11...]), ("key/10", keys[20...]), ("key/3", []), ("z", []),
        ("\u{10ffff}", []),
      ]
      for (after, rest) in cases {
        #expect(try await store.names(ListRequest(after: after)) == Array(rest), "\(after)")
      }
    }
  }

  @Test("A prefix is bytes, not a directory", arguments: StoreKind.allCases)
  func prefixes(_ kind: StoreKind) async throws {
    try await withObjectStore(kind) { store in
      let keys = ["a", "a-b", "a/", "a//c", "a/b", "a/b/c", "a/bb", "a0", "b", "é"]
      for key in keys { try await store.put(key, "") }
      for prefix in [
        "", "a", "a/", "a//", "a/b", "a/b/", "a/b/c", "a/b/c/", "a-", "b", "c", "é", "/", "../",
        "./a", "a/../b", "a\0", String(repeating: "x", count: 2000),
        String(repeating: "x/", count: 2000),
      ] {
        let expected = keys.filter { $0.utf8.starts(with: prefix.utf8) }
        #expect(try await store.names(ListRequest(prefix: prefix)) == expected, "\(prefix)")
      }
    }
  }

  @Test("A delimiter folds what lies behind it", arguments: StoreKind.allCases)
  func folding(_ kind: StoreKind) async throws {
    try await withObjectStore(kind) { store in
      let keys = ["a", "a-1", "a-2", "a/", "a/b", "a/c/d", "a/c/e", "b", "c/d/e", "d//", "d//e"]
      for key in keys { try await store.put(key, "") }
      let cases: [(ListRequest, [String])] = [
        (ListRequest(delimiter: "/"), ["a", "a-1", "a-2", "a/", "b", "c/", "d/"]),
        (ListRequest(prefix: "a", delimiter: "/"), ["a", "a-1", "a-2", "a/"]),
        (ListRequest(prefix: "a/", delimiter: "/"), ["a/", "a/b", "a/c/"]),
        (ListRequest(prefix: "a/c/", delimiter: "/"), ["a/c/d", "a/c/e"]),
        (ListRequest(prefix: "d/", delimiter: "/"), ["d//"]),
        (ListRequest(delimiter: "-"), ["a", "a-", "a/", "a/b", "a/c/d", "a/c/e"] + keys[7...]),
        (ListRequest(delimiter: "/c/"), Array(keys[..<5]) + ["a/c/"] + keys[7...]),
        (ListRequest(after: "a/", delimiter: "/"), ["b", "c/", "d/"]),
        (ListRequest(after: "a/b", delimiter: "/"), ["b", "c/", "d/"]),
        (ListRequest(after: "a-1", delimiter: "/"), ["a-2", "a/", "b", "c/", "d/"]),
      ]
      for (request, expected) in cases {
        for limit in [1, 2, 3, 100] {
          var request = request
          request.limit = limit
          #expect(try await store.names(request) == expected, "\(request)")
        }
      }
      let page = try await store.list(ListRequest(limit: 1, delimiter: "-"))
      #expect(page.next == "a")
      let folds = try await store.list(ListRequest(prefix: "c", delimiter: "/"))
      #expect(folds == ListPage(entries: [.prefix("c/")]))
    }
  }

  @Test("Any request gives what a sorted array would", arguments: StoreKind.allCases)
  func againstModel(_ kind: StoreKind) async throws {
    var generator = SplitMix(seed: 11)
    try await withObjectStore(kind) { store in
      var keys: Set<String> = []
      for _ in 0..<150 {
        let key = SampleKeys.random(using: &generator)
        guard (try? ObjectKey(key)) != nil else { continue }
        keys.insert(key)
        try await store.put(key, "x")
      }
      for key in keys.sorted().prefix(20) {
        try await store.remove(key)
        keys.remove(key)
      }
      for _ in 0..<120 {
        let source = keys.randomElement(using: &generator) ?? ""
        let request = ListRequest(
          prefix: [1, 2].randomElement(using: &generator) == 1
            ? "" : String(source.prefix(Int.random(in: 0...8, using: &generator))),
          after: [nil, keys.randomElement(using: &generator), SampleKeys.random(using: &generator)]
            .randomElement(using: &generator) ?? nil,
          limit: [1, 7, 50, 1000].randomElement(using: &generator) ?? 100,
          delimiter: [nil, "/", "-", "y", "/b"].randomElement(using: &generator) ?? nil)
        let expected = ListModel.names(keys, request)
        let page = try await store.list(request)
        let wanted = Array(expected.prefix(request.limit))
        #expect(page.entries.map(\.name).map(Bytes.init) == wanted, "\(request)")
        #expect((page.next != nil) == (expected.count > request.limit), "\(request)")
      }
    }
  }
}

/// What a listing means, said as shortly as possible.
enum ListModel {
  static func names(_ keys: Set<String>, _ request: ListRequest) -> [Bytes] {
    let prefix = Bytes(request.prefix).bytes
    var names: [Bytes] = []
    for key in keys.map(Bytes.init).sorted() where key.bytes.starts(with: prefix) {
      var name = key
      if let delimiter = request.delimiter.map({ Bytes($0).bytes }) {
        let rest = key.bytes.dropFirst(prefix.count)
        if let fold = rest.indices.first(where: { rest[$0...].starts(with: delimiter) }) {
          let end = fold + delimiter.count
          name = Bytes(String(decoding: key.bytes[..<end], as: UTF8.self))
        }
      }
      if let after = request.after, name <= Bytes(after) { continue }
      if names.last != name { names.append(name) }
    }
    return names
  }
}
