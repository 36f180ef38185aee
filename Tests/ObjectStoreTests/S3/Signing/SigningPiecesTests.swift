import Testing

@testable import ObjectStore
import URIEncoding

@Suite("S3: what signatures are made of")
struct SigningPiecesTests {
  @Test(
    "Names are encoded as S3 reads them",
    arguments: [
      ("a b+c%/d", "a%20b%2Bc%25/d"), ("//x/", "//x/"), ("[é]", "%5B%C3%A9%5D"), ("~-._", "~-._"),
      ("a=b&c?d#e", "a%3Db%26c%3Fd%23e"), ("*'()!", "%2A%27%28%29%21"), ("\u{1}\n", "%01%0A"),
    ])
  func encoding(_ text: String, _ encoded: String) {
    #expect(PercentEncoding.encode(text, keepsSlash: true) == encoded)
    #expect(PercentEncoding.decodeText(encoded.utf8, plusIsSpace: true) == text)
  }

  @Test("What a list encodes is decoded: spaces as plus signs, too", arguments: SampleKeys.all)
  func decoding(_ key: String) {
    let encoded = PercentEncoding.encode(key)
    #expect(
      PercentEncoding.decodeText(encoded.utf8, plusIsSpace: true).map(Bytes.init) == Bytes(key))
    let form = String(
      encoded.split(separator: "%20", omittingEmptySubsequences: false).joined(by: "+"))
    #expect(PercentEncoding.decodeText(form.utf8, plusIsSpace: true).map(Bytes.init) == Bytes(key))
  }

  @Test("What is not encoded is refused", arguments: ["%", "%4", "%zz", "%ff", "a%C3"])
  func undecodable(_ text: String) {
    #expect(PercentEncoding.decodeText(text.utf8, plusIsSpace: true) == nil)
  }

  @Test("Days are counted as the calendar does")
  func calendar() throws {
    for (seconds, text) in [
      (0, "19700101T000000Z"), (951_782_400, "20000229T000000Z"), (-1, "19691231T235959Z"),
      (1_763_741_132, "20251121T160532Z"), (4_107_542_400, "21000301T000000Z"),
    ] as [(Int64, String)] {
      #expect(UTCTime(secondsSince1970: seconds).basic == text)
    }
    var random = SplitMix(seed: 3)
    for _ in 0..<2000 {
      let seconds = Int64.random(in: -60_000_000_000...200_000_000_000, using: &random)
      let time = UTCTime(secondsSince1970: seconds)
      #expect(time.secondsSince1970 == seconds)
      #expect((1...12).contains(time.month) && (1...31).contains(time.day))
    }
    #expect(UTCTime(rfc3339: "2026-11-21T16:05:52.123Z")?.basic == "20261121T160552Z")
    for wrong in ["", "2026-11-21T16:05:52", "2026-13-21T16:05:52Z", "2026-11-21T16:05:52.Z"] {
      #expect(UTCTime(rfc3339: wrong) == nil)
    }
    #expect(UTCTime(httpDate: "Sun, 06 Nov 1994 08:49:37 GMT")?.secondsSince1970 == 784_111_777)
    #expect(UTCTime(httpDate: "Sunday, 06-Nov-94 08:49:37 GMT") == nil)
  }
}

extension [Substring] {
  fileprivate func joined(by text: String) -> String { map(String.init).joined(separator: text) }
}
