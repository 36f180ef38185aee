/// Fast hashes of names, label values and series, for a first look; ``SeriesTable`` does not rely on
/// them: somebody may well find texts that collide.
enum SeriesHash {
  /// Other numbers in each process. A name and a value of the same bytes have different hashes, so
  /// that `{a="b"}` is not `{b="a"}`.
  static let seeds = (
    name: UInt64.random(in: .min ... .max), value: UInt64.random(in: .min ... .max)
  )

  @inline(__always)
  static func fold(_ hash: UInt64, _ word: UInt64) -> UInt64 {
    let (high, low) = (hash ^ word).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
    return high ^ low
  }

  /// Of all bytes; there is padding behind them.
  @inline(__always)
  static func name(_ bytes: UnsafePointer<UInt8>, count: Int, seed: UInt64) -> UInt64 {
    var hash = seed
    var offset = 0
    while offset &+ 8 <= count {
      hash = fold(hash, ByteWords.load(bytes + offset))
      offset &+= 8
    }
    return end(hash, ByteWords.load(bytes + offset), of: count, behind: count &- offset)
  }

  /// Takes in the last bytes of `count`, of which less than 8 are in `word`.
  @inline(__always)
  static func end(_ hash: UInt64, _ word: UInt64, of count: Int, behind rest: Int) -> UInt64 {
    fold(hash &+ UInt64(truncatingIfNeeded: count), ByteWords.prefix(word, rest))
  }

  /// Of all bytes of a text.
  static func name(_ text: String, seed: UInt64) -> UInt64 {
    let bytes = Array(text.utf8) + [UInt8](repeating: 0, count: ByteWords.padding)
    return bytes.withUnsafeBufferPointer { buffer in
      buffer.baseAddress.map { name($0, count: text.utf8.count, seed: seed) } ?? seed
    }
  }

  /// What a label adds to the hash of its series: nothing if its value is empty, which is as good as
  /// no label.
  static func label(_ label: SeriesLabel) -> UInt64 {
    if label.value.isEmpty { return 0 }
    return fold(name(label.name, seed: seeds.name), name(label.value, seed: seeds.value))
  }

  @inline(__always)
  static func series(name: UInt64, labels: UInt64) -> UInt32 {
    let hash = fold(name, labels)
    return UInt32(truncatingIfNeeded: hash ^ (hash >> 32))
  }
}
