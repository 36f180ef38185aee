import NIOHTTP1
import ObjectStore
import Testing

@testable import KeyValueHTTP

@Suite struct ListQueryTests {
  @Test func parametersAreDecodedAsThoseOfForms() throws {
    let request = try ListQuery.request("prefix=a%2Fb+c&limit=7&after=%C3%BC%2B&delimiter=/")
    #expect(request == ListRequest(prefix: "a/b c", after: "ü+", limit: 7, delimiter: "/"))
    #expect(try ListQuery.request("prefix=") == ListRequest())
    #expect(try ListQuery.request("prefix") == ListRequest())
    #expect(try ListQuery.request("&limit=1000&") == ListRequest(limit: 1000))
  }

  @Test(arguments: [
    "limit=0", "limit=1001", "limit=-1", "limit=a", "limit=", "delimiter=", "prefix=%",
    "prefix=%FF",
    "prefix=a&prefix=b", "foo=1", "Prefix=a", "prefix=%00", "after=\u{FFFD}",
  ])
  func othersAreRefused(_ query: String) {
    #expect { try ListQuery.request(query) } throws: { error in
      (error as? Refusal)?.status == .badRequest
    }
  }

  /// As characters, a separator and a combining letter behind it would be one.
  @Test(arguments: ["\u{301}", "\u{FE0F}"])
  func lettersThatCombineAreLettersOfTheirOwn(_ mark: String) throws {
    let request = try ListQuery.request("prefix=\(mark)a&after=\(mark)b&limit=7")
    #expect(request.prefix.utf8.elementsEqual("\(mark)a".utf8))
    #expect(request.after?.utf8.elementsEqual("\(mark)b".utf8) == true)
    #expect(request.limit == 7)
  }

  @Test func noAnswerRepeatsWhatIsNoName() {
    for query in ["a%0d%0ab=1", "a%0d%0ab=%", "a%0a=1&a%0a=2"] {
      #expect { try ListQuery.request(query) } throws: { error in
        (error as? Refusal)?.message.contains("\n") == false
      }
    }
  }

  @Test func anUnknownParameterNamesThoseThatThereAre() {
    #expect { try ListQuery.request("marker=a") } throws: { error in
      (error as? Refusal)?.message
        == "unknown parameter; allowed are prefix, limit, after and delimiter"
    }
  }
}
