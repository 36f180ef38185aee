import Testing

@testable import KeyValueHTTP

@Suite struct TokenTableTests {
  private func table(_ text: String) throws -> TokenTable {
    try TokenTable(parsing: Array(text.utf8))
  }

  @Test func aTokenHasThePrefixAndTheRightsOfItsEntries() throws {
    let table = try table(
      """
      {"tokens": [
        {"token": "reader", "prefix": "a/", "rights": ["read", "list"]},
        {"token": "writer", "rights": ["write"]},
        {"token": "reader", "prefix": "b/", "rights": ["write"]}
      ]}
      """)
    #expect(
      table.grants(of: "reader") == [
        .init(prefix: "a/", rights: [.read, .list]), .init(prefix: "b/", rights: [.write]),
      ])
    #expect(table.grants(of: "writer") == [.init(prefix: "", rights: [.write])])
    for unknown in ["", "reade", "readers", "READER"] {
      #expect(table.grants(of: unknown).isEmpty)
    }
  }

  @Test func aFileNeedsNoSecret() throws {
    // printf %s reader | sha256sum
    let digest = "3d0941964aa3ebdcb00ccef58b1bb399f9f898465e9886d5aec7f31090a0fb30"
    let table = try table(
      #"{"tokens": [{"sha256": "\#(digest)", "rights": ["read"]}]}"#)
    #expect(table.grants(of: "reader").count == 1)
    #expect(table.grants(of: digest).isEmpty)
  }

  @Test func aGrantIsForItsPrefixOnly() {
    let grant = TokenTable.Grant(prefix: "a/", rights: [.read])
    #expect(grant.allows(.read, "a/b"))
    #expect(grant.allows(.read, "a/"))
    #expect(!grant.allows(.read, "a"))
    #expect(!grant.allows(.read, "ab"))
    #expect(!grant.allows(.write, "a/b"))
  }

  @Test(arguments: [
    "", "[]", "{}", #"{"tokens": {}}"#, #"{"tokens": [], "more": 1}"#,
    #"{"tokens": [{"rights": ["read"]}]}"#, #"{"tokens": [{"token": "a"}]}"#,
    #"{"tokens": [{"token": "a", "rights": []}]}"#,
    #"{"tokens": [{"token": "a", "rights": ["delete"]}]}"#,
    #"{"tokens": [{"token": "", "rights": ["read"]}]}"#,
    #"{"tokens": [{"token": "a b", "rights": ["read"]}]}"#,
    #"{"tokens": [{"token": "a", "sha256": "00", "rights": ["read"]}]}"#,
    #"{"tokens": [{"sha256": "00", "rights": ["read"]}]}"#,
    #"{"tokens": [{"token": "a", "right": ["read"]}]}"#,
    #"{"tokens": [{"token": "a", "rights": ["read"], "rights": ["write"]}]}"#,
  ])
  func aFileWithAFaultIsRefused(_ text: String) {
    #expect(throws: TokenTable.Fault.self) { try table(text) }
  }

  @Test func aFaultNamesItsEntryAndNoToken() {
    #expect { try table(#"{"tokens": [{"token": "geheim", "rights": ["fly"]}]}"#) } throws: {
      "\($0)" == "entry 1: \"rights\" can be read, write and list"
    }
  }
}
