import Logging

/// A value that was seen after its time: what one write stored, and nothing else, may go.
struct S3ExpiredObject: Sendable {
  let key: ObjectKey
  /// Alone it does not name what was seen: the same bytes, written anew, have it too.
  let etag: ETag
  let writeID: String?
  let expires: Int64

  /// Nil for a value that stays.
  init?(_ key: ObjectKey, _ record: S3Record) {
    guard let expires = record.info.expires else { return nil }
    self.key = key
    self.expires = expires
    etag = record.info.etag
    writeID = record.writeID
  }

  func isSame(as record: S3Record) -> Bool {
    record.info.etag == etag && record.info.expires == expires && record.writeID == writeID
  }
}

/// Removing what has expired, in the background. Reads do without: they look at the time themselves.
extension S3ObjectStore {
  /// Until the task is cancelled.
  func sweep() async {
    await withDiscardingTaskGroup { group in
      group.addTask { for await object in self.expired { await self.remove(object) } }
      if let interval = self.configuration.sweepInterval {
        group.addTask {
          // Several processes on one bucket do not all begin at once.
          var pause = interval * self.configuration.retries.jitter()
          while (try? await Task.sleep(for: pause)) != nil {
            await self.sweepOnce()
            pause = interval
          }
        }
      }
    }
  }

  /// Looks at every object once, slowly.
  func sweepOnce() async {
    let pause = Duration.seconds(1) / max(1, configuration.sweepRate)
    var continuation: String?
    var removed = 0
    repeat {
      do throws(ObjectStoreError) {
        let page = try await page(
          ListRequest(), continuation, limit: ListRequest.maximumLimit)
        continuation = page.continuation
        for case .object(let object) in page.entries {
          if await hasExpired(object.key) { removed += 1 }
          // An error means that the task was cancelled.
          guard (try? await Task.sleep(for: pause)) != nil else { return }
        }
      } catch {
        if error.kind == .cancelled { return }
        return logger.warning(
          "expired values are not searched for now", metadata: ["error": "\(error)"])
      }
    } while continuation != nil
    if removed > 0 {
      logger.info("expired values were removed", metadata: ["count": "\(removed)"])
    }
  }

  /// Whether a value had expired and was removed.
  private func hasExpired(_ text: String) async -> Bool {
    // Others may have stored what is no key here.
    guard let key = try? ObjectKey(text), let record = try? await record(key),
      let object = S3ExpiredObject(key, record), mayRemove(object)
    else { return false }
    return await remove(object)
  }

  /// Whether its end is long enough ago: who writes it again usually does so soon.
  func mayRemove(_ object: S3ExpiredObject) -> Bool {
    let (time, overflows) = object.expires.addingReportingOverflow(configuration.sweepDelay)
    return !overflows && clock.now >= time
  }

  @discardableResult
  func remove(_ object: S3ExpiredObject) async -> Bool {
    // Writes of this process wait meanwhile: one attempt only.
    await turns.sweeping(object.key) {
      do throws(ObjectStoreError) {
        // It may have waited to be removed for long, and have been written anew with the same bytes,
        // which the condition of the removal does not tell apart.
        guard let record = try await record(object.key, attempts: 1), object.isSame(as: record)
        else { return false }
        return try await remove(object.key, object.etag, attempts: 1)
      } catch {
        if error.kind != .cancelled {
          logger.warning("an expired value was not removed", metadata: ["error": "\(error)"])
        }
        return false
      }
    }
  }
}
