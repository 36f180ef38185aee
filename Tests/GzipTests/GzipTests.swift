import Gzip
import Testing

@Suite struct GzipTests {
  private func pack(_ bytes: [UInt8], level: Int32 = 1) throws -> [UInt8] {
    let writer = try GzipWriter(level: level)
    var packed: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 100_000) {
      let piece = bytes[start..<min(bytes.count, start + 100_000)]
      packed += piece.withUnsafeBytes { writer.pack($0, isLast: false) }
    }
    return packed + [].withUnsafeBytes { writer.pack($0, isLast: true) }
  }

  private func unpack(_ packed: [UInt8], by size: Int, limit: Int = 1 << 30) throws -> [UInt8] {
    let reader = try GzipReader(limit: limit)
    for start in stride(from: 0, to: packed.count, by: size) {
      try Array(packed[start..<min(packed.count, start + size)]).withUnsafeBytes { piece in
        try reader.append(piece)
      }
    }
    return try reader.finish()
  }

  private let text = (0..<60_000).flatMap { Array("line \($0 % 977) \($0)\n".utf8) }

  @Test(arguments: [1, 7, 1000, 1 << 20]) func unpacksWhatItPacked(size: Int) throws {
    for bytes in [[], [1], text] {
      #expect(try unpack(pack(bytes), by: size) == bytes)
    }
  }

  @Test func unpacksMembersBehindEachOther() throws {
    #expect(try unpack(pack(text) + pack([]) + pack([1, 2]), by: 333) == text + [1, 2])
  }

  @Test func boundsWhatComesOut() throws {
    let bomb = try pack([UInt8](repeating: 0, count: 20_000_000), level: 9)
    #expect(bomb.count < 30_000)
    #expect(throws: GzipError.tooLarge(limit: 1_000_000)) {
      try unpack(bomb, by: 4096, limit: 1_000_000)
    }
    #expect(try unpack(pack(text), by: 4096, limit: text.count) == text)
    #expect(throws: GzipError.tooLarge(limit: text.count - 1)) {
      try unpack(pack(text), by: 4096, limit: text.count - 1)
    }
  }

  @Test func seesWhatIsDamagedOrCutOff() throws {
    let packed = try pack(text)
    #expect(throws: GzipError.incomplete) { try unpack(packed.dropLast(), by: 4096) }
    #expect(throws: GzipError.incomplete) { try unpack([], by: 1) }
    #expect(throws: GzipError.malformed) { try unpack(Array("plain text".utf8), by: 4096) }
    var damaged = packed
    damaged[damaged.count - 6] ^= 1
    #expect(throws: GzipError.malformed) { try unpack(damaged, by: 4096) }
    #expect(throws: GzipError.malformed) { try unpack(packed + [1, 2, 3], by: 4096) }
  }

  private func unpack(_ packed: ArraySlice<UInt8>, by size: Int) throws -> [UInt8] {
    try unpack(Array(packed), by: size)
  }
}
