/// Formats whose signature is more than bytes at the start.
enum MediaContainers {
  /// https://mimesniff.spec.whatwg.org/#signature-for-mp4: a brand that begins with `mp4` in the
  /// first box.
  static func isMP4(_ bytes: [UInt8]) -> Bool {
    guard bytes.count >= 12, bytes[4..<8].elementsEqual("ftyp".utf8) else { return false }
    let size = bytes[0..<4].reduce(0) { $0 << 8 | Int($1) }
    guard size <= bytes.count, size % 4 == 0 else { return false }
    return stride(from: 8, to: max(size, 8), by: 4).contains { start in
      // Bytes 12 to 15 are a version.
      start != 12 && start + 3 <= bytes.count
        && bytes[start..<start + 3].elementsEqual("mp4".utf8)
    }
  }

  /// https://mimesniff.spec.whatwg.org/#signature-for-webm: a DocType element `webm` early in the
  /// header of EBML.
  static func isWebM(_ bytes: [UInt8]) -> Bool {
    guard bytes.starts(with: [0x1a, 0x45, 0xdf, 0xa3]) else { return false }
    var index = 4
    while index + 1 < min(bytes.count, 38) {
      if bytes[index] == 0x42, bytes[index + 1] == 0x82 {
        index += 2
        guard index < bytes.count else { return false }
        // The length of a number of EBML: as many bytes as its first has leading zeros, and one.
        index += min(bytes[index].leadingZeroBitCount, 7) + 1
        // Zeros may stand in front of the name.
        while index < bytes.count, bytes[index] == 0 { index += 1 }
        return bytes[min(index, bytes.count)...].starts(with: "webm".utf8)
      }
      index += 1
    }
    return false
  }
}
