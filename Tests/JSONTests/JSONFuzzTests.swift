import JSON
import Testing

/// Random values and random damage, the same in every run.
@Suite struct JSONFuzzTests {
  @Test func whatIsWrittenIsReadBack() throws {
    var random = SplitMix(state: 1)
    for _ in 0..<500 {
      let value = JSONValue.random(depth: 4, using: &random)
      #expect(try JSONValue(parsing: value.encoded) == value)
    }
  }

  @Test func damageIsRefusedOrReadButNeverCrashes() {
    var random = SplitMix(state: 2)
    var accepted = 0
    for _ in 0..<3000 {
      var bytes = JSONValue.random(depth: 4, using: &random).encoded
      for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
        let index = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: index)
        default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: index)
        }
      }
      // What is accepted must survive another round.
      guard let value = try? JSONValue(parsing: bytes) else { continue }
      accepted += 1
      #expect((try? JSONValue(parsing: value.encoded)) == value)
    }
    #expect(accepted > 0)
  }

  @Test func randomBytesNeverCrash() {
    var random = SplitMix(state: 3)
    let alphabet = Array(#"{}[]",:\u0123eE+-.truefalsn "#.utf8) + [0x00, 0x80, 0xFF]
    for _ in 0..<5000 {
      let length = Int.random(in: 0...60, using: &random)
      let bytes = (0..<length).map { _ in alphabet.randomElement(using: &random) ?? 0 }
      if let document = try? JSONDocument(parsing: bytes) {
        #expect((try? JSONDocument(parsing: Array(document.root.rawBytes))) != nil)
      }
    }
  }
}

/// A small generator with a seed (https://prng.di.unimi.it/splitmix64.c).
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

extension JSONValue {
  static func random(depth: Int, using random: inout SplitMix) -> JSONValue {
    switch Int.random(in: 0..<(depth == 0 ? 4 : 6), using: &random) {
    case 0: return .null
    case 1: return .bool(Bool.random(using: &random))
    case 2: return .number("\(Int.random(in: -999...999, using: &random)).25e1")
    case 3: return .string(text(using: &random))
    case 4:
      let count = Int.random(in: 0...4, using: &random)
      return .array((0..<count).map { _ in self.random(depth: depth - 1, using: &random) })
    default:
      var object = JSONObject()
      for _ in 0..<Int.random(in: 0...4, using: &random) {
        object[text(using: &random)] = self.random(depth: depth - 1, using: &random)
      }
      return .object(object)
    }
  }

  private static func text(using random: inout SplitMix) -> String {
    let scalars: [Unicode.Scalar] = ["a", "\"", "\\", "\n", "\u{0}", "é", "😀", "/", "~", "\u{7F}"]
    var text = ""
    for _ in 0..<Int.random(in: 0...6, using: &random) {
      text.unicodeScalars.append(scalars.randomElement(using: &random) ?? "x")
    }
    return text
  }
}
