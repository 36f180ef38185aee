import NIOCore
import Testing

@testable import ObjectStore

@Suite("File store: headers")
struct ValueHeaderTests {
  @Test("A header is read as it was written, and the content follows")
  func roundTrip() throws {
    for key in ["a", String(repeating: "日", count: 341)] {
      for type in [nil, "", "text/plain", String(repeating: "x", count: 4096)] {
        for expires in [nil, 0, 1_750_000_000 as Int64] {
          let header = try Self.header(key, expires: expires, contentType: type)
          var bytes = header.bytes
          #expect(bytes.readableBytes == header.length)
          bytes.writeString("content")
          guard case .header(let read) = ValueHeader.read(from: &bytes) else {
            Issue.record("not read")
            continue
          }
          #expect(read.key.text == key)
          #expect(read.info == header.info)
          #expect(String(buffer: bytes) == "content")
        }
      }
    }
  }

  @Test("No changed byte goes unseen")
  func damage() throws {
    let header = try Self.header("key", expires: 5, contentType: "text/plain")
    for index in 0..<header.length {
      for change in [0x01, 0x80, 0xff] as [UInt8] {
        var bytes = header.bytes
        let byte = try #require(bytes.getInteger(at: index, as: UInt8.self))
        bytes.setInteger(byte ^ change, at: index)
        if case .header = ValueHeader.read(from: &bytes) { Issue.record("byte \(index)") }
      }
    }
  }

  @Test("Less than a header is not one")
  func incomplete() throws {
    let header = try Self.header("key", expires: nil, contentType: "text/plain")
    for count in 0..<header.length {
      var bytes = header.bytes
      bytes.moveWriterIndex(to: count)
      guard case .incomplete = ValueHeader.read(from: &bytes) else {
        Issue.record("\(count) bytes")
        continue
      }
    }
  }

  private static func header(
    _ key: String, expires: Int64?, contentType: String?
  ) throws -> ValueHeader {
    ValueHeader(
      key: try ObjectKey(key), size: 1 << 40, etag: (high: 1, low: .max), modified: 1_750_000_000,
      expires: expires, contentType: contentType)
  }
}
