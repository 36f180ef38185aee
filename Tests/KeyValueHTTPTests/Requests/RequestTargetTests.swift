import NIOHTTP1
import ObjectStore
import Testing

@testable import KeyValueHTTP

@Suite struct RequestTargetTests {
  @Test(arguments: [
    ("/a", "a"), ("/a/b", "a/b"), ("/a/b/", "a/b/"), ("//a", "/a"), ("/a//b", "a//b"),
    ("/a%20b", "a b"), ("/a+b", "a+b"), ("/a%2Bb", "a+b"), ("/a%2Fb", "a/b"), ("/a%2fb", "a/b"),
    ("/%C3%BC", "ü"), ("/ü", "ü"), ("/[x]", "[x]"), ("/a%3Fb", "a?b"), ("/a%23b", "a#b"),
    ("/100%25", "100%"), ("/%2525", "%25"), ("/.a", ".a"), ("/...", "..."),
    ("/healthz/", "healthz/"),
    ("/%EF%BF%BD", "\u{FFFD}"), ("http://example.com/a/b", "a/b"), ("HTTP://x:80/a", "a"),
    ("https://example.com//a", "/a"), ("/a=b&c", "a=b&c"), ("/%0A", "\n"),
  ])
  func keysAreThePathDecodedOnce(_ target: String, _ key: String) throws {
    #expect(try RequestTarget(parsing: target) == .key(ObjectKey(key)))
  }

  /// As characters, a slash and a combining letter behind it would be one.
  @Test(arguments: ["/", "http://x/"], ["\u{301}abc", "\u{FE0F}", "a\u{301}/\u{FE0F}"])
  func lettersThatCombineAreLettersOfTheirOwn(_ start: String, _ key: String) throws {
    #expect(try RequestTarget(parsing: start + key) == .key(ObjectKey(key)))
  }

  @Test(arguments: [
    "/%", "/%2", "/%zz", "/%G0", "/a%00b", "/%FF", "/%C3", "/.", "/..", "/a/./b", "/a/../b",
    "/%2e%2e/a", "/a/%2E", "/a#b", "/a?b", "/a?", "/\u{FFFD}", "a", "ftp://x/a",
    "/" + String(repeating: "a", count: 1025),
  ])
  func whatIsNoKeyIsRefused(_ target: String) {
    #expect { try RequestTarget(parsing: target) } throws: { error in
      (error as? Refusal)?.status == .badRequest
    }
  }

  @Test func theLongestKeyIsOne() throws {
    let escaped = "/" + String(repeating: "%61", count: 1024)
    let key = try ObjectKey(String(repeating: "a", count: 1024))
    #expect(try RequestTarget(parsing: escaped) == .key(key))
  }

  @Test func somePathsAreNoKeys() throws {
    #expect(try RequestTarget(parsing: "/") == .root(query: nil))
    #expect(try RequestTarget(parsing: "/?") == .root(query: nil))
    #expect(try RequestTarget(parsing: "/?prefix=a") == .root(query: "prefix=a"))
    #expect(try RequestTarget(parsing: "http://example.com") == .root(query: nil))
    #expect(try RequestTarget(parsing: "http://example.com?prefix=") == .root(query: "prefix="))
    #expect(try RequestTarget(parsing: "/healthz") == .health)
    #expect(try RequestTarget(parsing: "/%68ealthz") == .health)
    #expect(try RequestTarget(parsing: "/readyz") == .readiness)
    #expect(try RequestTarget(parsing: "*") == .server)
  }
}
