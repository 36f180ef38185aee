import ObjectStore
import Testing

@testable import KeyValueHTTP

@Suite struct RangeFieldTests {
  @Test(arguments: [
    ("bytes=0-9", ByteRangeRequest.closed(0...9)), ("bytes=5-", .from(5)), ("bytes=-5", .suffix(5)),
    ("bytes=-0", .suffix(0)), ("Bytes=0-0", .closed(0...0)), ("bytes= 1-2 ", .closed(1...2)),
    ("bytes=0-99999999999999999999", .closed(0...Int.max)),
    ("bytes=99999999999999999999-", .from(.max)),
  ])
  func oneRangeIsRead(_ text: String, _ range: ByteRangeRequest) {
    #expect(RangeField.range(text) == range)
  }

  /// As RFC 9110, section 14.2 allows: the client sees by the status that it gets all of it.
  @Test(arguments: [
    "bytes=0-1,3-4", "bytes=", "bytes=-", "bytes=2-1", "items=0-1", "0-1", "bytes", "bytes=a-b",
    "bytes=1-2-3", "bytes=+1-2", "bytes=0x1-2", "bytes=1 -2", "",
  ])
  func anythingElseMeansTheWholeValue(_ text: String) { #expect(RangeField.range(text) == nil) }

  @Test func aRangeHoldsForAVersion() throws {
    let tag = try #require(ETag("a"))
    #expect(RangeField.validator(#""a""#) == .etag(tag))
    #expect(RangeField.validator(#"W/"a""#) == .never)
    // Two versions may have the same second.
    #expect(RangeField.validator("Sun, 06 Nov 1994 08:49:37 GMT") == .never)
    #expect(RangeField.validator("yesterday") == .never)
  }
}
