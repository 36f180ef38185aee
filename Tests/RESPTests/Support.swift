import NIOCore
import RESP

/// Everything in `bytes`, given to the parser in one piece.
func parseAll(
  _ bytes: ByteBuffer, limits: RESPLimits = .client,
  attributes: RESPParser.Attributes = .discard
) throws(RESPError) -> [RESPValue] {
  var parser = RESPParser(limits: limits, attributes: attributes)
  parser.append(bytes)
  var values: [RESPValue] = []
  while let value = try parser.next() { values.append(value) }
  return values
}

func parseAll(_ text: String, limits: RESPLimits = .client) throws(RESPError) -> [RESPValue] {
  try parseAll(ByteBuffer(string: text), limits: limits)
}

/// The same numbers in every run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var bits = state
    bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
    return bits ^ (bits >> 31)
  }
}
