import JSON
import Testing

@Suite struct JSONDocumentTests {
  @Test(arguments: [
    "null", "true", "false", "0", "-0", "12.5e-3", "1E+2", "\"\"", "[]", "{}", " [ 1 , 2 ] ",
    "{\"a\":{\"b\":[null,{}]},\"c\":\"d\"}", "\"\\u00e9\\n\\ud83d\\ude00\"", "\"é😀\"",
  ])
  func acceptsWhatTheGrammarAllows(text: String) throws {
    _ = try JSONDocument(parsing: Array(text.utf8))
  }

  @Test(arguments: [
    "", " ", "nul", "tru", "+1", "01", "1.", ".5", "1e", "-", "\"", "\"\\x\"", "\"\\u12\"",
    "\"\u{1}\"", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{", "{\"a\"", "{\"a\":", "{\"a\":1",
    "{\"a\":1,", "{\"a\":1,}", "{a:1}", "{1:1}", "]", "}", "[}", "{]", "1 1", "nullx", "[]]",
  ])
  func refusesWhatItDoesNot(text: String) {
    #expect(throws: JSONError.self) { try JSONDocument(parsing: Array(text.utf8)) }
  }

  @Test func refusesStringsThatAreNotUTF8() {
    let error = #expect(throws: JSONError.self) {
      try JSONDocument(parsing: [0x22, 0xC3, 0x28, 0x22])
    }
    #expect(error?.kind == .invalidUTF8)
  }

  @Test func everyBeginningOfATextIsRefused() throws {
    let text = Array(#"{"a":[1.5e3,"x\n\u00e9",true,null],"b":{"c":{}}}"#.utf8)
    _ = try JSONDocument(parsing: text)
    for length in 0..<text.count {
      #expect(throws: JSONError.self) { try JSONDocument(parsing: Array(text[..<length])) }
    }
  }

  @Test func nestingIsBounded() throws {
    let deep = Array(String(repeating: "[", count: 100_000).utf8)
    let error = #expect(throws: JSONError.self) { try JSONDocument(parsing: deep) }
    #expect(error?.kind == .tooDeep(limit: 128))
    let most = String(repeating: "[", count: 128) + String(repeating: "]", count: 128)
    _ = try JSONDocument(parsing: Array(most.utf8))
  }

  @Test func lengthAndNumberOfValuesAreBounded() {
    let text = Array("[1,2,3,4]".utf8)
    #expect(throws: JSONError.self) {
      try JSONDocument(parsing: text, limits: .init(bytes: 8))
    }
    let error = #expect(throws: JSONError.self) {
      try JSONDocument(parsing: text, limits: .init(values: 4))
    }
    #expect(error?.kind == .tooManyValues(limit: 4))
  }

  @Test func readsFieldsByPath() throws {
    let root = try JSONDocument(
      parsing: Array(#"{"a":{"b":{"c":"deep"}},"n":-7,"t":true,"z":null}"#.utf8)
    ).root
    #expect(try root.field("a", "b", "c")?.string == "deep")
    #expect(try root.field("n")?.integer == -7)
    #expect(try root.field("t")?.bool == true)
    #expect(try root.field("z")?.isNull == true)
    #expect(try root.field("a", "x", "c") == nil)
    #expect(try root.field("n", "x") == nil)
  }

  @Test func aKeyMatchesHoweverItIsEscaped() throws {
    let root = try JSONDocument(parsing: Array(#"{"\u0061/b":1}"#.utf8)).root
    #expect(try root.field("a/b")?.integer == 1)
  }

  @Test func aDuplicateIsFoundWhenItIsRead() throws {
    let root = try JSONDocument(parsing: Array(#"{"a":1,"\u0061":2,"b":3}"#.utf8)).root
    #expect(try root.field("b")?.integer == 3)
    let error = #expect(throws: JSONError.self) { try root.field("a") }
    #expect(error?.kind == .duplicateKey("a"))
  }

  @Test func loneSurrogatesBecomeReplacements() throws {
    let root = try JSONDocument(parsing: Array(#"["\ud800","\ud83d\ude00","\udc00x"]"#.utf8)).root
    #expect(root.elements.map(\.string) == ["\u{FFFD}", "😀", "\u{FFFD}x"])
  }

  @Test func rawBytesAreExactlyWhatWasSent() throws {
    let root = try JSONDocument(parsing: Array(#"{"a": [1.0, "\u0041" ] }"#.utf8)).root
    let raw = try #require(try root.field("a")?.rawBytes)
    #expect(String(decoding: raw, as: UTF8.self) == #"[1.0, "\u0041" ]"#)
  }
}
