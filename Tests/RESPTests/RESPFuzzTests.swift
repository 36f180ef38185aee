import NIOCore
import RESP
import Testing

@Suite struct RESPFuzzTests {
  @Test func randomBytesNeverCrash() {
    var random = SeededGenerator(seed: 1)
    for _ in 0..<10_000 {
      let length = Int.random(in: 0...64, using: &random)
      let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
      parseInPieces(bytes, using: &random)
    }
  }

  @Test func randomProtocolCharactersNeverCrash() {
    let alphabet = Array("+-:$*_,#!=(%~>|;.?\r\n0129tfx".utf8) + Array("\r\n\r\n\r\n\r\n".utf8)
    var random = SeededGenerator(seed: 2)
    for _ in 0..<20_000 {
      let length = Int.random(in: 1...48, using: &random)
      let bytes = (0..<length).map { _ in alphabet.randomElement(using: &random) ?? 0 }
      parseInPieces(bytes, using: &random)
    }
  }

  @Test func damagedRepliesNeverCrash() {
    var random = SeededGenerator(seed: 3)
    for _ in 0..<10_000 {
      var wire = ByteBuffer()
      wire.writeRESP(.random(depth: 4, using: &random))
      var bytes = Array(wire.readableBytesView)
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 2: bytes.insert(UInt8.random(in: 32..<64, using: &random), at: place)
        default: if bytes.count > 1 { bytes.remove(at: place) }
        }
      }
      parseInPieces(bytes, using: &random)
    }
  }

  @Test func whatIsEncodedParsesBackInAnyPieces() throws {
    var random = SeededGenerator(seed: 4)
    for round in 0..<3_000 {
      let values = (0..<Int.random(in: 1...3, using: &random)).map { _ in
        RESPValue.random(depth: 4, using: &random)
      }
      var wire = ByteBuffer()
      for value in values { wire.writeRESP(value) }
      var parser = RESPParser()
      var parsed: [RESPValue] = []
      while wire.readableBytes > 0 {
        let length = Int.random(in: 1...min(40, wire.readableBytes), using: &random)
        if let piece = wire.readSlice(length: length) { parser.append(piece) }
        while let value = try parser.next() { parsed.append(value) }
      }
      #expect(parsed == values, "round \(round)")
      #expect(parser.isBetweenValues)
    }
  }

  /// Small limits, so that nothing is ever waited for long.
  private func parseInPieces(_ bytes: [UInt8], using random: inout SeededGenerator) {
    var parser = RESPParser()
    var rest = bytes[...]
    while !rest.isEmpty {
      let piece = rest.prefix(Int.random(in: 1...rest.count, using: &random))
      rest = rest.dropFirst(piece.count)
      parser.append(ByteBuffer(bytes: piece))
      do throws(RESPError) {
        while try parser.next() != nil {}
      } catch {
        #expect(error.offset <= Int64(bytes.count))
        return
      }
    }
  }
}

extension RESPValue {
  /// Any value that the encoder writes so that it parses back to itself.
  static func random(depth: Int, using random: inout SeededGenerator) -> RESPValue {
    switch Int.random(in: 0..<(depth > 0 ? 13 : 10), using: &random) {
    case 0: .simpleString(text(using: &random))
    case 1: .simpleError("ERR " + text(using: &random))
    case 2: .integer(Int64.random(in: .min ... .max, using: &random))
    case 3, 4: .bulkString(bytes(using: &random))
    case 5: .null
    case 6: .double(Double(bitPattern: random.next()).finite)
    case 7: .boolean(Bool.random(using: &random))
    case 8: .bigNumber("\(random.next())\(random.next())")
    case 9:
      Bool.random(using: &random)
        ? .bulkError(bytes(using: &random)) : .verbatim(.text, bytes(using: &random))
    case 10: .array(children(depth: depth, using: &random))
    case 11: .set(children(depth: depth, using: &random))
    default:
      .map(
        children(depth: depth, using: &random).map {
          RESPMapEntry(key: .simpleString(text(using: &random)), value: $0)
        })
    }
  }

  private static func children(
    depth: Int, using random: inout SeededGenerator
  ) -> [RESPValue] {
    (0..<Int.random(in: 0...5, using: &random)).map { _ in
      .random(depth: depth - 1, using: &random)
    }
  }

  private static func bytes(using random: inout SeededGenerator) -> ByteBuffer {
    let length = Int.random(in: 0...30, using: &random)
    return ByteBuffer(bytes: (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) })
  }

  private static func text(using random: inout SeededGenerator) -> String {
    let letters = Array("abc XYZ 01 äß漢🦛")
    return String(
      (0..<Int.random(in: 0...12, using: &random)).map { _ in
        letters.randomElement(using: &random) ?? "a"
      })
  }
}

extension Double {
  fileprivate var finite: Double { isFinite ? self : 0.25 }
}
