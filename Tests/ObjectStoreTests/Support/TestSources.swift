import NIOCore
import ObjectStore

/// A body of some pieces.
final class PiecesSource: ObjectSource {
  private var pieces: [ByteBuffer]

  init(_ pieces: [ByteBuffer]) { self.pieces = pieces.reversed() }

  convenience init(_ text: String) { self.init([ByteBuffer(string: text)]) }

  func next() async throws -> ByteBuffer? { pieces.popLast() }
}

/// A body of any size that needs no memory: each word says where it stands.
final class PatternSource: ObjectSource {
  static let pieceSize = 60_000
  private let size: Int
  private let seed: UInt64
  private var offset = 0
  private var piece = ByteBuffer()
  /// Called with the number of bytes that were given before each piece.
  private let before: ((Int) async throws -> Void)?

  init(size: Int, seed: UInt64 = 0, before: ((Int) async throws -> Void)? = nil) {
    self.size = size
    self.seed = seed
    self.before = before
  }

  func next() async throws -> ByteBuffer? {
    try await before?(offset)
    guard offset < size else { return nil }
    piece.clear()
    Pattern.append(min(Self.pieceSize, size - offset), from: offset, seed: seed, to: &piece)
    offset += piece.readableBytes
    return piece
  }
}

/// Bytes that follow from where they stand and a seed.
enum Pattern {
  static func append(_ count: Int, from offset: Int, seed: UInt64, to buffer: inout ByteBuffer) {
    buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { bytes in
      fill(UnsafeMutableRawBufferPointer(rebasing: bytes[..<count]), from: offset, seed: seed)
      return count
    }
  }

  /// Whether bytes are those that stand at an offset.
  static func matches(_ buffer: ByteBuffer, from offset: Int, seed: UInt64 = 0) -> Bool {
    var expected = ByteBuffer()
    append(buffer.readableBytes, from: offset, seed: seed, to: &expected)
    return expected == buffer
  }

  /// Whole words of a table that repeats after a prime number of bytes: fast without optimization.
  private static let table: [UInt8] = {
    var generator = SplitMix(seed: 1)
    return (0..<period).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
  }()
  private static let period = 65_521

  private static func fill(
    _ bytes: UnsafeMutableRawBufferPointer, from offset: Int, seed: UInt64
  ) {
    table.withUnsafeBytes { table in
      var done = 0
      while done < bytes.count {
        let start = (offset + done + Int(seed % UInt64(period)) * 7) % period
        let count = min(period - start, bytes.count - done)
        UnsafeMutableRawBufferPointer(rebasing: bytes[done..<(done + count)])
          .copyMemory(from: UnsafeRawBufferPointer(rebasing: table[start..<(start + count)]))
        done += count
      }
    }
  }
}

/// Random numbers that are the same in each run.
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var word = state
    word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
    return word ^ (word >> 31)
  }
}
