import Logging
import NIOCore
import NIOHTTP1

/// A value that goes up in parts, some at the same time, and becomes visible with the last request.
///
/// Until then the key keeps its old value. What fails or is cancelled is aborted, so that S3 does
/// not keep (and charge for) its parts; where that fails too, a lifecycle rule of the bucket has to
/// (`AbortIncompleteMultipartUpload`).
struct S3MultipartUpload {
  /// As S3 has it.
  private static let maximumParts = 10_000

  private struct Part: Sendable {
    let number: Int
    let etag: String
  }

  private let write: S3Write
  private let store: S3ObjectStore
  let partBytes: Int

  /// - Throws: `tooLarge` if the value cannot go up in parts that the memory has room for.
  init(_ write: S3Write, store: S3ObjectStore) throws(ObjectStoreError) {
    self.write = write
    self.store = store
    let needed = ((write.request.length ?? 0) + Self.maximumParts - 1) / Self.maximumParts
    partBytes = max(store.configuration.partBytes, needed)
    guard partBytes <= store.configuration.partMemory else {
      throw ObjectStoreError(
        .tooLarge, "the value needs parts of \(partBytes) bytes: raise the memory for parts")
    }
  }

  /// - Parameter first: the first part, which this closes.
  func run(
    _ first: PartRoom, _ source: inout MeasuredSource
  ) async throws(ObjectStoreError) -> ObjectInfo {
    let upload = try await begin()
    do throws(ObjectStoreError) {
      let (parts, size) = try await send(upload, first, &source)
      return try await complete(upload, parts, size)
    } catch {
      await abort(upload)
      throw error
    }
  }

  /// A value that is there already, as one part.
  func run(_ value: ByteBuffer) async throws(ObjectStoreError) -> ObjectInfo {
    let upload = try await begin()
    do throws(ObjectStoreError) {
      return try await complete(upload, [try await send(upload, 1, value)], value.readableBytes)
    } catch {
      await abort(upload)
      throw error
    }
  }

  // MARK: Requests

  private func begin() async throws(ObjectStoreError) -> String {
    var call = S3Call(.POST, write.key)
    call.query = [("uploads", "")]
    call.headers = write.headers
    let answer = try await store.client.perform(call)
    guard answer.isSuccess else { throw store.refusal(call, answer) }
    guard let upload = (try? XMLFields(answer.body))?["UploadId"], !upload.isEmpty else {
      throw ObjectStoreError(.corrupt, "S3 began an upload without saying its id")
    }
    return upload
  }

  private func send(
    _ upload: String, _ number: Int, _ body: ByteBuffer
  ) async throws(ObjectStoreError) -> Part {
    var call = S3Call(.PUT, write.key)
    call.query = [("partNumber", String(number)), ("uploadId", upload)]
    call.body = body
    let answer = try await store.client.perform(call)
    guard answer.isSuccess else { throw store.refusal(call, answer) }
    guard let etag = answer.header("etag") else {
      throw ObjectStoreError(.corrupt, "S3 took a part without saying its ETag")
    }
    return Part(number: number, etag: etag)
  }

  private func complete(
    _ upload: String, _ parts: [Part], _ size: Int
  ) async throws(ObjectStoreError) -> ObjectInfo {
    var xml = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
    for part in parts {
      let etag = part.etag.filter { $0 != "\"" && $0 != "<" && $0 != "&" }
      xml += "<Part><PartNumber>\(part.number)</PartNumber><ETag>&quot;\(etag)&quot;</ETag></Part>"
    }
    xml += "</CompleteMultipartUpload>"
    var call = S3Call(.POST, write.key)
    call.query = [("uploadId", upload)]
    call.headers = [("content-type", "application/xml")]
    call.body = ByteBuffer(string: xml)
    call.mayFailLate = true
    call.answerTimeout = store.configuration.completionTimeout
    let stored = try await store.store(write, by: call)
    var etag: ETag?
    if case .answer(let answer) = stored {
      etag = (try? XMLFields(answer.body))?["ETag"].flatMap { ETag(header: $0) }
      // Ceph's gateway leaves it empty.
      if etag == nil, let found = try await store.record(write.key), found.writeID == write.id {
        return found.info
      }
    }
    return try write.info(of: stored, size: size, etag: etag, at: store.clock.now)
  }

  /// Best effort, within seconds.
  private func abort(_ upload: String) async {
    var call = S3Call(.DELETE, write.key)
    call.query = [("uploadId", upload)]
    call.attempts = 3
    call.answerTimeout = .seconds(5)
    let (client, logger) = (store.client, store.logger)
    // A task of its own, since this one may be cancelled; it is awaited, and ends by itself.
    await Task { [call] in
      do throws(ObjectStoreError) {
        let answer = try await client.perform(call)
        if answer.isSuccess || answer.status == 404 { return }
        logger.warning(
          "an upload to S3 was not aborted: its parts stay",
          metadata: ["status": "\(answer.status)"])
      } catch {
        logger.warning(
          "an upload to S3 was not aborted: its parts stay", metadata: ["error": "\(error)"])
      }
    }.value
  }

  // MARK: Parts

  /// Sends all parts, as many at a time as are allowed and as memory is there for.
  private func send(
    _ upload: String, _ first: PartRoom, _ source: inout MeasuredSource
  ) async throws(ObjectStoreError) -> ([Part], size: Int) {
    var parts: [Part] = []
    var size = 0
    var next = first
    var hasMore = true
    var number = 0
    let outcome: Result<Void, ObjectStoreError> = await withTaskGroup(
      of: Result<Part, ObjectStoreError>.self
    ) { group in
      do throws(ObjectStoreError) {
        while next.bytes.readableBytes > 0 || number == 0 {
          number += 1
          size += next.bytes.readableBytes
          guard number <= Self.maximumParts else {
            throw ObjectStoreError(.tooLarge, "the value has more than \(Self.maximumParts) parts")
          }
          group.addTask { [next, number] in
            defer { next.close() }
            do throws(ObjectStoreError) {
              return .success(try await send(upload, number, next.bytes))
            } catch {
              return .failure(error)
            }
          }
          while number - parts.count >= store.configuration.partsAtOnce {
            guard let part = try await group.next()?.get() else { break }
            parts.append(part)
          }
          if !hasMore { break }
          next = store.memory.room()
          hasMore = try await next.fill(upTo: partBytes, from: &source)
        }
        while let part = try await group.next()?.get() { parts.append(part) }
        return .success(())
      } catch {
        group.cancelAll()
        return .failure(error)
      }
    }
    next.close()
    try outcome.get()
    return (parts.sorted { $0.number < $1.number }, size)
  }
}
