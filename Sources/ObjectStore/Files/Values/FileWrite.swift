import NIOCore
import Synchronization

/// A value on its way to the disk, block by block: while one is written, the caller fills the next.
///
/// The first block begins with room for the header, which is known last.
final class FileWrite: Sendable {
  /// As much is written at a time.
  static let blockSize = 256 << 10
  /// After as much the disk begins to work.
  private static let syncSize = 8 << 20

  private struct State {
    var file: TemporaryFile?
    var block = ByteBuffer()
    /// What was written.
    var size = 0
    var syncedSize = 0
  }

  private let directory: Descriptor
  private let state = Mutex(State())

  init(in directory: Descriptor) { self.directory = directory }

  /// Takes a block over, and gives the memory of the one before.
  func take(_ block: inout ByteBuffer) {
    state.withLock { swap(&$0.block, &block) }
    block.clear()
  }

  /// Writes the block that was taken. Blocks.
  func writeOut() throws(ObjectStoreError) {
    try state.withLock { (state) throws(ObjectStoreError) in _ = try writeOut(&state) }
  }

  /// Writes the last block and the header, and syncs. Blocks.
  ///
  /// - Returns: the whole file, which lacks only its place.
  func finish(_ header: ValueHeader) throws(ObjectStoreError) -> TemporaryFile {
    try state.withLock { (state) throws(ObjectStoreError) in
      let bytes = header.bytes
      let isFirst = state.size == 0
      if isFirst { state.block.setBuffer(bytes, at: state.block.readerIndex) }
      let file = try writeOut(&state)
      state.block = ByteBuffer()
      if !isFirst { try file.write(bytes, at: 0) }
      try file.sync()
      return file
    }
  }

  /// What was written, if anything.
  var file: TemporaryFile? { state.withLock { $0.file } }

  private func writeOut(_ state: inout State) throws(ObjectStoreError) -> TemporaryFile {
    let file: TemporaryFile
    if let begun = state.file { file = begun } else { file = try TemporaryFile(in: directory) }
    state.file = file
    try file.write(state.block, at: state.size)
    state.size += state.block.readableBytes
    if state.size - state.syncedSize >= Self.syncSize {
      file.beginSync(of: state.syncedSize..<state.size)
      state.syncedSize = state.size
    }
    return file
  }
}
