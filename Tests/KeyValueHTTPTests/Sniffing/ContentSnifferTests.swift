import Testing

@testable import KeyValueHTTP

@Suite struct ContentSnifferTests {
  @Test(arguments: [
    ("", "text/plain; charset=utf-8"), ("hello", "text/plain; charset=utf-8"),
    ("{\"a\": 1}", "text/plain; charset=utf-8"), ("Grüße", "text/plain; charset=utf-8"),
    ("<!doctype html><p>", "text/html; charset=utf-8"),
    (" \r\n\t<HtMl>", "text/html; charset=utf-8"), ("<html", "text/plain; charset=utf-8"),
    ("<a href=x>", "text/html; charset=utf-8"), ("<abbr>", "text/plain; charset=utf-8"),
    ("<!-- x -->", "text/html; charset=utf-8"),
    ("<?xml version='1.0'?>", "text/xml; charset=utf-8"),
    ("  <?xml", "text/xml; charset=utf-8"), ("%PDF-1.7", "application/pdf"),
    (" %PDF-1.7", "text/plain; charset=utf-8"), ("%!PS-Adobe-3.0", "application/postscript"),
    ("GIF89a...", "image/gif"), ("GIF88a...", "text/plain; charset=utf-8"), ("BMxx", "image/bmp"),
    ("RIFF1234WEBPVP8 ", "image/webp"), ("RIFF1234WAVEfmt ", "audio/wave"),
    ("RIFF1234AVI LIST", "video/avi"), ("FORM1234AIFF", "audio/aiff"), ("ID3...", "audio/mpeg"),
    ("OggS\0..", "application/ogg"), ("a\u{1b}[0m", "text/plain; charset=utf-8"),
    ("a\0b", "application/octet-stream"),
  ])
  func textsAndMarksAreTold(_ content: String, _ type: String) {
    #expect(ContentSniffer.contentType(of: Array(content.utf8)) == type)
  }

  @Test(
    arguments: [
      ([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0], "image/png"),
      ([0xff, 0xd8, 0xff, 0xe0], "image/jpeg"), ([0, 0, 1, 0, 1], "image/x-icon"),
      ([0, 0, 2, 0, 1], "image/x-icon"), ([0x1f, 0x8b, 0x08, 0], "application/x-gzip"),
      ([0x50, 0x4b, 3, 4, 0], "application/zip"),
      ([0x52, 0x61, 0x72, 0x20, 0x1a, 0x07, 0x00], "application/x-rar-compressed"),
      ([0x4d, 0x54, 0x68, 0x64, 0, 0, 0, 6], "audio/midi"),
      ([0xfe, 0xff, 0, 0x61], "text/plain; charset=utf-16be"),
      ([0xff, 0xfe, 0x61, 0], "text/plain; charset=utf-16le"),
      ([0xef, 0xbb, 0xbf, 0x61], "text/plain; charset=utf-8"),
      ([0xe9, 0x74, 0xe9], "text/plain"),
      ([0x7f, 0x45, 0x4c, 0x46, 1], "application/octet-stream"),
      (
        [0, 0, 0, 0x14] + Array("ftypisom".utf8) + [0, 0, 2, 0] + Array("mp41".utf8), "video/mp4"
      ),
      ([0, 0, 0, 0x10] + Array("ftypqt  ".utf8) + [0, 0, 0, 0], "application/octet-stream"),
      ([0, 0, 0, 0x18] + Array("ftypmp42".utf8), "application/octet-stream"),
      (
        [0x1a, 0x45, 0xdf, 0xa3, 0x9f, 0x42, 0x86, 0x81, 1, 0x42, 0x82, 0x84] + Array("webm".utf8),
        "video/webm"
      ),
      (
        [0x1a, 0x45, 0xdf, 0xa3, 0x9f, 0x42, 0x82, 0x88] + Array("matroska".utf8),
        "application/octet-stream"
      ),
    ] as [([UInt8], String)])
  func bytesAreTold(_ bytes: [UInt8], _ type: String) {
    #expect(ContentSniffer.contentType(of: bytes) == type)
  }

  @Test func aCharacterThatTheEndCutsIsNoFault() {
    for character in ["ü", "€", "😀"] {
      for shift in 0..<4 {
        let text = String(repeating: "a", count: 508 + shift) + character
        #expect(
          ContentSniffer.contentType(of: Array(text.utf8)) == "text/plain; charset=utf-8")
      }
    }
    // Here the value itself ends.
    #expect(ContentSniffer.contentType(of: [0x61, 0xc3]) == "text/plain")
  }

  @Test func onlyTheStartCounts() {
    let text = Array(repeating: UInt8(ascii: "a"), count: 512) + [0]
    #expect(ContentSniffer.contentType(of: text) == "text/plain; charset=utf-8")
  }

  @Test func noBytesMakeItStumble() {
    for pattern in 0..<4096 {
      let bytes = (0..<40).map { UInt8(truncatingIfNeeded: pattern &* 2_654_435_761 >> ($0 % 29)) }
      for length in [0, 1, 5, 11, 12, 13, 40] {
        _ = ContentSniffer.contentType(of: bytes.prefix(length))
        _ = ContentSniffer.contentType(of: [0x1a, 0x45, 0xdf, 0xa3] + bytes.prefix(length))
        _ = ContentSniffer.contentType(
          of: [0, 0, 0, 16] + Array("ftyp".utf8) + bytes.prefix(length))
      }
    }
  }
}
