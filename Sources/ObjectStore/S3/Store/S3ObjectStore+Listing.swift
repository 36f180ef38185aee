import NIOCore
import HTTPUpstream
import NIOHTTP1

extension S3ObjectStore {
  private static let maximumEmptyPages = 100

  package func list(_ request: ListRequest) async throws(ObjectStoreError) -> ListPage {
    let limit = min(max(request.limit, 1), ListRequest.maximumLimit)
    let start = request.after.map { ListPosition.after(Array($0.utf8)) } ?? .start
    var entries: [ListPage.Entry] = []
    var continuation: String?
    var emptyPages = 0
    repeat {
      let page = try await page(request, continuation, limit: limit + 1 - entries.count)
      // S3 folds keys behind `after` into a prefix that does not come after it.
      entries += page.entries.filter { start.isBefore(Array($0.text.utf8)) }
      // A page may be short, also empty; a server that goes round in a circle is left.
      emptyPages = page.entries.isEmpty ? emptyPages + 1 : 0
      if emptyPages > Self.maximumEmptyPages
        || (page.continuation != nil && page.continuation == continuation)
      {
        throw ObjectStoreError(.corrupt, "S3 goes on with a list for ever, and says nothing")
      }
      continuation = page.continuation
    } while entries.count <= limit && continuation != nil
    guard entries.count > limit else { return ListPage(entries: entries) }
    entries.removeLast(entries.count - limit)
    return ListPage(entries: entries, next: entries.last?.text)
  }

  /// One page of S3.
  func page(
    _ request: ListRequest, _ continuation: String?, limit: Int
  ) async throws(ObjectStoreError) -> (entries: [ListPage.Entry], continuation: String?) {
    var call = S3Call(.GET)
    call.query = [
      ("list-type", "2"), ("encoding-type", "url"),
      ("max-keys", String(min(limit, ListRequest.maximumLimit))),
    ]
    if !request.prefix.isEmpty { call.query.append(("prefix", request.prefix)) }
    if let delimiter = request.delimiter { call.query.append(("delimiter", delimiter)) }
    if let continuation {
      call.query.append(("continuation-token", continuation))
    } else if let after = request.after, !after.isEmpty {
      call.query.append(("start-after", after))
    }
    call.streams = true
    let document = try await document(call)
    let entries =
      document.objects.map { ListPage.Entry.object($0) }
      + document.prefixes.map { ListPage.Entry.prefix($0) }
    let sorted = entries.sorted {
      $0.text.utf8.lexicographicallyPrecedes($1.text.utf8)
    }
    return (sorted, document.isTruncated ? document.continuation : nil)
  }

  /// Reads a list; one that breaks off is asked for again.
  private func document(_ call: S3Call) async throws(ObjectStoreError) -> S3ListDocument {
    var attempt = 0
    while true {
      let answer = try await client.perform(call)
      guard let response = answer.response else { throw refusal(call, answer) }
      do {
        var document = S3ListDocument()
        while let part = try await response.next() { try document.append(part.readableBytesView) }
        try document.finish()
        return document
      } catch let error as XMLError {
        response.close()
        throw ObjectStoreError(
          .corrupt, "S3 answered with a list that cannot be read", cause: error)
      } catch {
        response.close()
        if Task.isCancelled { throw .givenUp }
        attempt += 1
        guard attempt < configuration.retries.attempts else {
          throw ObjectStoreError(.unavailable, "listing: \(error)", cause: error)
        }
        try? await configuration.retries.pause(configuration.retries.delay(after: attempt))
      }
    }
  }
}

extension ListPage.Entry {
  fileprivate var text: String {
    switch self {
    case .object(let object): object.key
    case .prefix(let prefix): prefix
    }
  }
}
