import NIOCore

/// Times from sending a command to its reply, in buckets that double.
struct LatencyHistogram: Sendable {
  /// Upper bounds in seconds: 16 µs, 32 µs and so on to about 8 s.
  static let bounds: [Double] = (0..<20).map { Double(16 << $0) / 1e6 }

  private(set) var counts = [UInt64](repeating: 0, count: LatencyHistogram.bounds.count + 1)
  private(set) var sum: Int64 = 0

  /// Seconds.
  var total: Double { Double(sum) / 1e9 }

  @inline(__always)
  mutating func record(_ duration: TimeAmount) {
    let nanoseconds = max(0, duration.nanoseconds)
    sum &+= nanoseconds
    // The number of bits above 16 µs.
    let bucket = UInt64(bitPattern: nanoseconds) / 16_000
    let index = 64 - bucket.leadingZeroBitCount
    counts[min(index, counts.count - 1)] += 1
  }

  mutating func add(_ other: LatencyHistogram) {
    for index in counts.indices { counts[index] += other.counts[index] }
    sum &+= other.sum
  }
}
