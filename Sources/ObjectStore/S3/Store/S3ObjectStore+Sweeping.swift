import Logging

/// A value that was seen after its time: this version of it may go.
struct S3ExpiredObject: Sendable {
  let key: ObjectKey
  let etag: ETag
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
      record.info.isExpired(at: clock.now)
    else { return false }
    return await remove(S3ExpiredObject(key: key, etag: record.info.etag))
  }

  @discardableResult
  private func remove(_ object: S3ExpiredObject) async -> Bool {
    do throws(ObjectStoreError) {
      // Another version has been written since, if this does nothing.
      return try await remove(object.key, object.etag)
    } catch {
      if error.kind != .cancelled {
        logger.warning("an expired value was not removed", metadata: ["error": "\(error)"])
      }
      return false
    }
  }
}
