import Testing

@testable import ObjectStore

@Suite("S3: XML")
struct XMLReaderTests {
  private typealias Event = XMLReader.Event

  /// All events, with texts that follow each other as one.
  private static func events(
    _ pieces: [[UInt8]]
  ) throws(XMLError) -> (events: [XMLReader.Event], isComplete: Bool) {
    var reader = XMLReader()
    var events: [XMLReader.Event] = []
    for piece in pieces {
      reader.append(piece)
      while let event = try reader.next() {
        if case .text(let more) = event, case .text(let text)? = events.last {
          events[events.count - 1] = .text(text + more)
        } else {
          events.append(event)
        }
      }
    }
    return (events, reader.isComplete)
  }

  private static let sample = """
    <?xml version="1.0" encoding="UTF-8"?>
    <!-- a > b --><Error a='>' b="/"><Code>A&amp;B&#x41;&#66;</Code><Empty/><x:y />
    <Text><![CDATA[<&>]]> é</Text ></Error>

    """

  @Test("Elements, texts, references, comments and CDATA are read wherever they are cut")
  func sample() throws {
    let bytes = Array(Self.sample.utf8)
    let expected: [XMLReader.Event] = [
      .start("Error"), .start("Code"), .text("A&BAB"), .end("Code"), .start("Empty"),
      .end("Empty"), .start("x:y"), .end("x:y"), .text("\n"), .start("Text"), .text("<&> é"),
      .end("Text"), .end("Error"),
    ]
    for cut in 0...bytes.count {
      let (events, isComplete) = try Self.events([Array(bytes[..<cut]), Array(bytes[cut...])])
      #expect(events == expected)
      #expect(isComplete)
    }
    let single = try Self.events(bytes.map { [$0] })
    #expect(single.events == expected)
    for cut in 0..<(bytes.count - 10) {
      let part = try Self.events([Array(bytes[..<cut])])
      #expect(!part.isComplete)
    }
  }

  @Test(
    "What is no XML of a service is refused",
    arguments: [
      "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", "<a></b>", "</a>", "<a/><b/>", "text", "<a>&b;</a>",
      "<a>&amp</a>", "<a b=<c></a>", "< a/>", "<a>&#x110000;</a>", "<a>&#-1;</a>", "<>",
      "<a/>text",
    ])
  func malformed(_ text: String) {
    #expect(throws: XMLError.self) {
      // What follows shows where a text ends.
      let all = try Self.events([Array(text.utf8), Array("<end>".utf8)])
      if !all.isComplete { throw XMLError.malformed("cut") }
    }
  }

  @Test("Depth and length are bounded")
  func bounds() {
    let deep = String(repeating: "<a>", count: 33)
    #expect(throws: XMLError.tooDeep) { _ = try Self.events([Array(deep.utf8)]) }
    for long in ["<a>", "<a ", "<!--", "<a><![CDATA[", "<"] {
      let text = long + String(repeating: "x", count: 70_000)
      #expect(throws: XMLError.self) { _ = try Self.events([Array(text.utf8)]) }
    }
  }

  @Test("Any bytes give events or an error, the same in any division")
  func fuzz() {
    var random = SplitMix(seed: 5)
    let alphabet = Array("<>/!-[]CDATA?&;#x\"' a=b\u{e9}".utf8)
    for _ in 0..<20_000 {
      var bytes = Array(Self.sample.utf8)
      if Bool.random(using: &random) {
        bytes = (0..<Int.random(in: 1...40, using: &random)).map { _ in
          alphabet.randomElement(using: &random) ?? 0
        }
      } else {
        for _ in 0..<Int.random(in: 1...4, using: &random) {
          bytes[Int.random(in: 0..<bytes.count, using: &random)] =
            alphabet.randomElement(using: &random) ?? 0
        }
      }
      let cut = Int.random(in: 0...bytes.count, using: &random)
      #expect(
        outcome([bytes]) == outcome([Array(bytes[..<cut]), Array(bytes[cut...])]),
        "\(String(decoding: bytes, as: UTF8.self))")
    }
  }

  private func outcome(_ pieces: [[UInt8]]) -> [XMLReader.Event]? {
    do throws(XMLError) {
      return try Self.events(pieces).events
    } catch {
      return nil
    }
  }

  @Test("A list is read with its keys decoded, and not without what it needs")
  func list() throws {
    let text = """
      <ListBucketResult><Name>b</Name><Prefix/><IsTruncated>true</IsTruncated>
      <NextContinuationToken>a+b/=</NextContinuationToken>
      <Contents><Key>a+b%2B%0A</Key><LastModified>2026-11-21T16:05:52.000Z</LastModified>
      <ETag>&quot;abc&quot;</ETag><Size>7</Size><Owner><ID>x</ID></Owner></Contents>
      <CommonPrefixes><Prefix>c%2F</Prefix></CommonPrefixes>
      <EncodingType>url</EncodingType></ListBucketResult>
      """
    var document = S3ListDocument()
    try document.append(Array(text.utf8))
    try document.finish()
    #expect(document.objects.map(\.key) == ["a b+\n"])
    #expect(document.objects.first?.etag == ETag("abc"))
    #expect(document.objects.first?.size == 7)
    #expect(document.prefixes == ["c/"])
    #expect(document.continuation == "a+b/=")
    for (part, other) in [("<Size>7</Size>", ""), ("abc", "a\"c"), ("%0A", "%0"), ("List", "Lost")]
    {
      var document = S3ListDocument()
      #expect(throws: XMLError.self) {
        try document.append(Array(text.replacing(part, with: other).utf8))
        try document.finish()
      }
    }
    var cut = S3ListDocument()
    try cut.append(Array(text.utf8).dropLast(5))
    #expect(throws: XMLError.self) { try cut.finish() }
  }
}
