/// Bytes that are being written, in memory of its own.
///
/// Copying a line costs no more than the copy; nothing is shared while it is written, so it belongs
/// to one task at a time.
package final class ByteSink {
  private var memory: UnsafeMutablePointer<UInt8>
  private var capacity: Int
  package private(set) var count = 0

  package init(capacity: Int = 4096) {
    self.capacity = max(64, capacity)
    memory = .allocate(capacity: self.capacity)
  }

  deinit { memory.deallocate() }

  package func removeAll() { count = 0 }

  /// What has been written.
  package func withBytes<Result>(
    _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    try body(UnsafeRawBufferPointer(start: memory, count: count))
  }

  package var bytes: [UInt8] { withBytes { Array($0) } }

  /// Makes room for so many bytes.
  @inline(__always)
  func reserve(_ more: Int) {
    if count &+ more > capacity { grow(more) }
  }

  private func grow(_ more: Int) {
    let larger = max(capacity * 2, count + more)
    let next = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
    next.update(from: memory, count: count)
    memory.deallocate()
    memory = next
    capacity = larger
  }

  @inline(__always)
  func append(_ byte: UInt8) {
    reserve(1)
    memory[count] = byte
    count &+= 1
  }

  @inline(__always)
  func append(_ start: UnsafePointer<UInt8>, _ length: Int) {
    reserve(length)
    (memory + count).update(from: start, count: length)
    count &+= length
  }

  func append(_ text: StaticString) { append(text.utf8Start, text.utf8CodeUnitCount) }

  func append(_ bytes: [UInt8]) {
    bytes.withUnsafeBufferPointer { if let start = $0.baseAddress { append(start, $0.count) } }
  }

  func append(_ text: String) {
    var text = text
    text.withUTF8 { if let start = $0.baseAddress { append(start, $0.count) } }
  }

  func append(_ other: ByteSink) { append(other.memory, other.count) }
}
