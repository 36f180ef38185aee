import Logging
import ServiceLifecycle

extension FileObjectStore {
  /// Removes expired values, and what killed processes left, from time to time.
  package func run() async throws {
    await cancelWhenGracefulShutdown {
      repeat {
        await self.sweepAndLog()
      } while (try? await Task.sleep(for: self.configuration.sweepInterval)) != nil
    }
  }

  /// Removes expired values once.
  ///
  /// - Returns: how many it removed.
  @discardableResult
  package func sweep() async throws(ObjectStoreError) -> Int {
    let outcome = try await FileThreads.scans.runCancellable {
      [files] (givingUp) throws(ObjectStoreError) in
      try explaining("cannot remove what was left") { () throws(FileFault) in
        try files.directory.removeLeftovers()
      }
      // A store that never had a value that expires is not read for nothing.
      guard files.mayExpire else { return FileSweep.Outcome() }
      var sweep = FileSweep(files, givingUp)
      return try sweep.run()
    }
    if outcome.damaged > 0 {
      logger.error("files of values are damaged", metadata: ["count": "\(outcome.damaged)"])
    }
    if let reason = outcome.reason {
      logger.warning(
        "some files could not be read, to see whether they have expired",
        metadata: ["count": "\(outcome.unreadable)", "reason": "\(reason)"])
    }
    if outcome.removed > 0 {
      logger.debug("expired values were removed", metadata: ["count": "\(outcome.removed)"])
    }
    return outcome.removed
  }

  private func sweepAndLog() async {
    do throws(ObjectStoreError) {
      try await sweep()
    } catch {
      // The next round tries again.
      guard error.kind != .cancelled else { return }
      logger.warning(
        "expired values could not be removed, which is tried again",
        metadata: ["reason": "\(error)"])
    }
  }
}
