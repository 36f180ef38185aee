import Testing
import URIEncoding

@Suite struct PercentEncodingTests {
  @Test func whatWasEncodedIsDecodedToTheSame() {
    for _ in 0..<200 {
      let text = String(
        String.UnicodeScalarView(
          (0..<Int.random(in: 0...40)).compactMap { _ in
            Unicode.Scalar(UInt32.random(in: 0...0x2FFF))
          }))
      for keepsSlash in [true, false] {
        let encoded = PercentEncoding.encode(text, keepsSlash: keepsSlash)
        #expect(PercentEncoding.decodeText(encoded.utf8).map { Array($0.utf8) } == Array(text.utf8))
        #expect(encoded.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F })
      }
    }
  }

  @Test func onlyUnreservedCharactersStay() {
    #expect(PercentEncoding.encode("aZ09-._~/ +%é") == "aZ09-._~%2F%20%2B%25%C3%A9")
    #expect(PercentEncoding.encode("a/b", keepsSlash: true) == "a/b")
  }

  @Test func aPlusIsASpaceInFormsOnly() {
    #expect(PercentEncoding.decodeText("a+b%2Bc".utf8, plusIsSpace: true) == "a b+c")
    #expect(PercentEncoding.decodeText("a+b".utf8) == "a+b")
  }

  /// A sign is no digit, though integers are read with one.
  @Test(arguments: ["%", "a%4", "%g0", "%0g", "%+1", "%-1", "% 1", "%%41"])
  func malformedEscapesAreRefused(_ text: String) {
    #expect(PercentEncoding.decode(text.utf8) == nil)
  }

  @Test func escapesAreResolvedOnce() {
    #expect(PercentEncoding.decodeText("%2541".utf8) == "%41")
    #expect(PercentEncoding.decode("%ff".utf8) == [0xFF])
    #expect(PercentEncoding.decodeText("%ff".utf8) == nil)
  }
}
