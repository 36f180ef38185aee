import Coordination
import Testing

@Suite struct LockValueTests {
  @Test(arguments: [
    ("a/b", "a", "b"), ("a/b/c", "a", "b/c"), ("a//", "a", "/"), ("a/ ", "a", " "),
    ("a/\u{301}x", "a", "\u{301}x"), ("a/\u{301}x/y", "a", "\u{301}x/y"), ("é/鍵", "é", "鍵"),
  ])
  func aKeyIsWhatFollowsTheNamespace(text: String, namespace: String, key: String) throws {
    let parsed = try #require(NamespacedKey(parsing: text))
    #expect(parsed == NamespacedKey(namespace: namespace, key: key))
    #expect(Array(parsed.description.utf8) == Array(text.utf8))
  }

  @Test(arguments: ["", "/", "a", "a/", "/b", "//"])
  func aKeyNeedsBothParts(text: String) {
    #expect(NamespacedKey(parsing: text) == nil)
  }

  @Test func keysThatOnlyLookAlikeAreDifferent() {
    let composed = NamespacedKey(namespace: "a", key: "é")
    let decomposed = NamespacedKey(namespace: "a", key: "e\u{301}")
    #expect(composed.key == decomposed.key)
    #expect(composed != decomposed)
    #expect(Set([composed, decomposed, composed]).count == 2)
  }

  @Test func tokensAre128RandomBits() {
    var random = SeededRandom(seed: 1)
    let tokens = Set((0..<1000).map { _ in Token.random(using: &random) })
    #expect(tokens.count == 1000)
    for token in tokens {
      #expect(token.text.utf8.count == 32)
      #expect(token.text.allSatisfy { "0123456789abcdef".contains($0) })
    }
    #expect(Token.random() != Token.random())
  }

  @Test func theOpenNameOfATokenIsTheStartOfItsDigest() {
    #expect(Token("abc").publicID == "ba7816bf8f01cfea")
    #expect(Token("").publicID == "e3b0c44298fc1c14")
  }

  @Test func errorsSayWhoFailedAndHow() {
    let key = NamespacedKey(namespace: "team", key: "a")
    let failures = [
      StoreError.MemberFailure(member: "r1:6379", reason: "no answer in time"),
      StoreError.MemberFailure(member: "r2:6379", reason: "refused"),
    ]
    #expect(
      StoreError(.noQuorum, key: key, quorum: 2, members: 3, failures: failures).description
        == "team/a: 2 of 3 members of the store must answer, but r1:6379: no answer in time; "
        + "r2:6379: refused")
    #expect(
      StoreError(.noQuorum, key: nil, quorum: 1, members: 1).description
        == "the store must answer, but too few did")
    #expect(
      StoreError(.contended, key: key, quorum: 2, members: 3).description
        == "team/a: the answers were split (contenders at once, or a stale lock that runs out"
        + " by itself); try again")
    #expect(
      StoreError(.contended, key: key, quorum: 2, members: 3, failures: [failures[1]])
        .description.hasSuffix("; try again; did not answer: r2:6379: refused"))
    #expect(
      StoreError(.cancelled, key: key, quorum: 2, members: 3).description
        == "team/a: given up before the store had answered")
  }
}
