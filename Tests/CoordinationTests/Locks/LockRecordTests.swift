import Coordination
import Testing

@Suite struct LockRecordTests {
  @Test func theTextIsTokenUIDAndWhoItIs() {
    let holder = Holder(
      pod: "a", podUID: "u1", node: "n1", owner: "Job/a", since: 17)
    let record = LockRecord(token: Token("abc"), holder: holder)
    #expect(
      record.text == #"abc u1 {"pod":"a","node":"n1","owner":"Job/a","since":17}"#)
    let claim = LockRecord(
      token: Token("abc"), holder: Holder(pod: "a-", isGeneratedName: true, since: 1))
    #expect(claim.text == #"abc - {"generateName":"a-","since":1}"#)
  }

  @Test(arguments: [
    Holder(pod: "a", since: 0),
    Holder(pod: "a-", isGeneratedName: true, podUID: "u", since: 1_700_000_000),
    Holder(pod: "", podUID: "u", node: "", owner: "", since: -5),
    Holder(pod: "é \"quoted\" \\ \u{1} 🔑\n", node: "{}", owner: "a b c", since: .max),
  ])
  func whatIsWrittenIsReadAgain(holder: Holder) {
    let record = LockRecord(token: .random(), holder: holder)
    #expect(LockRecord(parsing: record.text) == record)
  }

  @Test func aRecordWithoutAHolderIsABareToken() {
    let record = LockRecord(token: Token("abc"), holder: nil)
    #expect(record.text == "abc")
    #expect(LockRecord(parsing: record.text) == record)
  }

  @Test(arguments: [
    "", " ", "   ", "abc", "abc ", "abc -", "abc u1", "abc u1 ", "abc u1 {", "abc - nonsense",
    "abc - {\"pod\":", "{\"pod\":\"a\"}", "\u{0}", "\u{FFFD}\u{FFFD}", "abc\tu1\t{}",
    "abc - " + String(repeating: "[", count: 100_000),
    "abc - {\"pod\":\"" + String(repeating: "x", count: 1 << 20),
  ])
  func whatOthersWroteIsATokenWithoutAHolder(text: String) {
    let record = LockRecord(parsing: text)
    #expect(record.holder == nil)
    #expect(record.token.text == text.prefix { $0 != " " })
  }

  @Test(arguments: [
    ("abc - {}", Holder(pod: "", isGeneratedName: true, since: 0)),
    ("abc  {\"pod\":\"a\"}", Holder(pod: "a", since: 0)),
    ("abc - []", Holder(pod: "", isGeneratedName: true, since: 0)),
    (
      "abc u1 {\"pod\":7,\"since\":\"x\",\"node\":null,\"more\":{}}",
      Holder(pod: "", podUID: "u1", since: 0)
    ),
    (
      "abc u1 {\"pod\":\"a\",\"since\":99999999999999999999}",
      Holder(pod: "a", podUID: "u1", since: 0)
    ),
  ])
  func whatDoesNotFitIsLeftOut(text: String, holder: Holder) {
    #expect(LockRecord(parsing: text).holder == holder)
    #expect(LockRecord(parsing: text).token.text == "abc")
  }

  @Test func aGeneratedNameIsShownAsTheStartOfOne() {
    #expect(Holder(pod: "a-", isGeneratedName: true, since: 0).displayName == "a-…")
    #expect(Holder(pod: "a", since: 0).displayName == "a")
  }
}
