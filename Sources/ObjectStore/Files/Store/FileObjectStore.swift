package import Logging
import NIOCore

/// Values in the files of a directory, which several processes on one machine may share.
///
/// A value is written to a file of its own, synced, and renamed into place: readers see the old
/// value or the new one, whenever a process or the machine dies. See ``StoreDirectory`` for what
/// lies where, ``ValuePath`` for names, ``ValueHeader`` for the files.
///
/// What waits for the disk runs on threads of its own. Only finding a file does not: opening one
/// whose directory entry is not in memory keeps its caller for as long as the disk takes.
package final class FileObjectStore: ObjectStore {
  package struct Configuration: Sendable {
    /// Made with those above it if it is not there. On a file system of this machine.
    package var directory: String
    /// How long a write waits for other processes that write keys beside its own.
    package var lockTimeout: Duration
    /// How often expired values are looked for.
    package var sweepInterval: Duration

    package init(
      directory: String, lockTimeout: Duration = .seconds(10),
      sweepInterval: Duration = .seconds(300)
    ) {
      self.directory = directory
      self.lockTimeout = lockTimeout
      self.sweepInterval = sweepInterval
    }
  }

  let configuration: Configuration
  let clock: WallClock
  let logger: Logger
  let files: StoreFiles

  /// Opens the directory, and removes what processes left in it that were killed. Blocks.
  ///
  /// - Throws: ``ObjectStoreError`` (`denied`, `full`, `unavailable`).
  package init(
    _ configuration: Configuration, clock: WallClock = .system, logger: Logger
  ) throws(ObjectStoreError) {
    self.configuration = configuration
    self.clock = clock
    self.logger = logger
    do throws(FileFault) {
      files = try StoreFiles(StoreDirectory(configuration.directory), clock: clock)
    } catch {
      throw error.error("cannot use the directory \(configuration.directory)")
    }
  }

  package func list(_ request: ListRequest) async throws(ObjectStoreError) -> ListPage {
    let (page, damaged) = try await FileThreads.scans.runCancellable {
      [files] (givingUp) throws(ObjectStoreError) in
      var listing = FileListing(files, request, givingUp)
      return (try listing.page(), listing.damaged)
    }
    if !damaged.isEmpty {
      logger.error(
        "a listing left out values whose files are damaged", metadata: ["count": "\(damaged.count)"]
      )
    }
    return page
  }

  package func check() async throws(ObjectStoreError) {
    try await FileThreads.single.runCancellable { [files] (_) throws(ObjectStoreError) in
      let file = try TemporaryFile(in: files.directory.own)
      defer { file.discard() }
      try file.write(ByteBuffer(string: "check"), at: 0)
    }
  }
}
