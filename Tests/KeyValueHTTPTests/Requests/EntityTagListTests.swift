import ObjectStore
import Testing

@testable import KeyValueHTTP

@Suite struct EntityTagListTests {
  private func tags(_ texts: String...) throws -> ETagCondition {
    .oneOf(try texts.map { try #require(ETag($0)) })
  }

  @Test func tagsAreReadInAllTheirForms() throws {
    let list = EntityTagList.condition(#""a", W/"b" ,"c,d",,"" "#, keepsWeak: true)
    #expect(try list == tags("a", "b", "c,d", ""))
    #expect(EntityTagList.condition(" * ", keepsWeak: true) == .any)
    #expect(try EntityTagList.condition(#","a","#, keepsWeak: true) == tags("a"))
  }

  @Test func aStrongComparisonNeverHoldsForWeakTags() throws {
    #expect(try EntityTagList.condition(#"W/"a", "b""#, keepsWeak: false) == tags("b"))
    #expect(EntityTagList.condition(#"W/"a""#, keepsWeak: false) == .oneOf([]))
  }

  @Test(arguments: [
    "", " ", ",", "a", "*, *", #""a"#, #"a""#, #""a" "b""#, #"w/"a""#, #"W/a"#, #""a b""#,
    #""a", *"#, "\"a\u{7f}\"",
  ])
  func whatIsNoListIsNone(_ text: String) {
    #expect(EntityTagList.condition(text, keepsWeak: true) == nil)
  }
}
