import HTTPServing
import JSON
import NIOCore
import NIOHTTP1
import ObjectStore
import ServiceKit

extension KeyValueService {
  func list(_ query: String, _ visit: inout Visit) async throws {
    let request = try ListQuery.request(query)
    try access.check(.list, request.prefix, visit.fields, visit.exchange.request.headers)
    let page = try await store.list(request)
    var head = newHead(.ok, &visit)
    head.add("content-type", "application/json")
    try await send(head, ByteBuffer(bytes: Self.encode(page)), &visit)
  }

  /// `{"keys": […], "prefixes": […], "next": …}`: objects and what was folded, each in the order of
  /// bytes; `next` is the `after` of the next page, or null.
  static func encode(_ page: ListPage) -> [UInt8] {
    var writer = JSONWriter(reserving: 128 * page.entries.count + 64)
    writer.beginObject()
    writer.array("keys") { writer in
      for case .object(let object) in page.entries {
        writer.object { writer in
          writer.field("key", object.key)
          writer.field("size", object.size)
          // As `If-Match` takes it.
          writer.field("etag", object.etag.description)
          writer.field("modified", time(object.modified))
        }
      }
    }
    writer.array("prefixes") { writer in
      for case .prefix(let prefix) in page.entries { writer.string(prefix) }
    }
    writer.key("next")
    if let next = page.next { writer.string(next) } else { writer.null() }
    writer.endObject()
    return writer.bytes
  }

  /// RFC 3339, to the second.
  private static func time(_ seconds: Int64) -> String {
    LogTimestamp.text(seconds: Int(seconds), milliseconds: 0).prefix(19) + "Z"
  }
}
