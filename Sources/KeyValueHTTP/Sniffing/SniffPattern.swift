/// Bytes at the start of a value that tell its type.
struct SniffPattern {
  let type: String
  private let bytes: [UInt8]
  /// Which bits count.
  private let mask: [UInt8]
  private let skipsBlanks: Bool
  /// Markup: capital or not, and a blank or `>` follows.
  private let isTag: Bool

  init(_ type: String, _ text: String, mask: [UInt8]? = nil) {
    self.init(type, bytes: Array(text.utf8), mask: mask)
  }

  init(_ type: String, bytes: [UInt8], mask: [UInt8]? = nil, skipsBlanks: Bool = false) {
    self.type = type
    self.bytes = bytes
    self.mask = mask ?? Array(repeating: 0xff, count: bytes.count)
    self.skipsBlanks = skipsBlanks
    isTag = false
  }

  /// A tag of HTML, written in capitals.
  init(tag: String, isEnded: Bool = true) {
    type = "text/html"
    bytes = Array(tag.utf8)
    mask = tag.utf8.map { (0x41...0x5a).contains($0) ? 0xdf : 0xff }
    skipsBlanks = true
    isTag = isEnded
  }

  func matches(_ value: [UInt8]) -> Bool {
    var start = 0
    if skipsBlanks {
      start = value.firstIndex { ![0x09, 0x0a, 0x0c, 0x0d, 0x20].contains($0) } ?? value.count
    }
    let end = start + bytes.count
    guard end + (isTag ? 1 : 0) <= value.count else { return false }
    for index in bytes.indices where value[start + index] & mask[index] != bytes[index] {
      return false
    }
    return !isTag || value[end] == 0x20 || value[end] == 0x3e
  }
}

extension SniffPattern {
  static let markup: [SniffPattern] =
    [
      "<!DOCTYPE HTML", "<HTML", "<HEAD", "<SCRIPT", "<IFRAME", "<H1", "<DIV", "<FONT", "<TABLE",
      "<A", "<STYLE", "<TITLE", "<B", "<BODY", "<BR", "<P",
    ].map { SniffPattern(tag: $0) } + [
      SniffPattern(tag: "<!--"),
      SniffPattern("text/xml", bytes: Array("<?xml".utf8), skipsBlanks: true),
      SniffPattern("application/pdf", "%PDF-"),
      SniffPattern("application/postscript", "%!PS-Adobe-"),
    ]

  /// Byte order marks, which need a byte or two behind them.
  static let marks = [
    SniffPattern(
      "text/plain; charset=utf-16be", bytes: [0xfe, 0xff, 0, 0], mask: [0xff, 0xff, 0, 0]),
    SniffPattern(
      "text/plain; charset=utf-16le", bytes: [0xff, 0xfe, 0, 0], mask: [0xff, 0xff, 0, 0]),
    SniffPattern(
      "text/plain; charset=utf-8", bytes: [0xef, 0xbb, 0xbf, 0], mask: [0xff, 0xff, 0xff, 0]),
  ]

  /// Images, audio and video.
  static let media: [SniffPattern] = [
    SniffPattern("image/x-icon", bytes: [0, 0, 1, 0]),
    SniffPattern("image/x-icon", bytes: [0, 0, 2, 0]),
    SniffPattern("image/bmp", "BM"),
    SniffPattern("image/gif", "GIF87a"),
    SniffPattern("image/gif", "GIF89a"),
    chunk("image/webp", "RIFF", "WEBPVP"),
    SniffPattern("image/png", bytes: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    SniffPattern("image/jpeg", bytes: [0xff, 0xd8, 0xff]),
    chunk("audio/aiff", "FORM", "AIFF"),
    SniffPattern("audio/mpeg", "ID3"),
    SniffPattern("application/ogg", "OggS\0"),
    SniffPattern("audio/midi", bytes: Array("MThd".utf8) + [0, 0, 0, 6]),
    chunk("video/avi", "RIFF", "AVI "),
    chunk("audio/wave", "RIFF", "WAVE"),
  ]

  static let archives = [
    SniffPattern("application/x-gzip", bytes: [0x1f, 0x8b, 0x08]),
    SniffPattern("application/zip", bytes: Array("PK".utf8) + [3, 4]),
    SniffPattern("application/x-rar-compressed", bytes: Array("Rar ".utf8) + [0x1a, 0x07, 0x00]),
  ]

  /// A name, a length of four bytes that may be anything, and a second name.
  private static func chunk(_ type: String, _ outer: String, _ inner: String) -> SniffPattern {
    SniffPattern(
      type, bytes: Array(outer.utf8) + [0, 0, 0, 0] + Array(inner.utf8),
      mask: Array(repeating: 0xff, count: outer.utf8.count) + [0, 0, 0, 0]
        + Array(repeating: 0xff, count: inner.utf8.count))
  }
}
