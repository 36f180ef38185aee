import JSON
import Logging

/// Encodes one log event as one line of JSON, never longer than a limit.
struct LogLine {
  /// The longest line, newline included, in bytes. Container runtimes split at 16 KiB.
  static let limit = 16 * 1024

  /// The deepest nesting of metadata that is shown.
  private static let deepest = 8

  /// Kept for closing what is open: braces, brackets, `"truncated":true`, and for
  /// ``LineDescriptor``'s `"lines_dropped"`.
  private static let reserve = 136

  private var writer = JSONWriter(reserving: 320)
  private var isTruncated = false

  /// The bytes that may still be written.
  private var budget: Int { Self.limit - Self.reserve - writer.bytes.count }

  static func encode(
    _ event: LogEvent, label: String, metadata: Logger.Metadata, time: String
  ) -> [UInt8] {
    var line = LogLine()
    line.writer.beginObject()
    line.writer.field("time", time)
    line.writer.field("level", event.level.rawValue)
    line.field("message", event.message.description, atMost: limit / 2)
    line.field("logger", label)
    if let error = event.error { line.field("error", String(describing: error)) }
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      line.member(free(key, in: metadata, hasError: event.error != nil), value, depth: 0)
    }
    if line.isTruncated { line.writer.field("truncated", true) }
    line.writer.endObject()
    var bytes = line.writer.bytes
    bytes.append(UInt8(ascii: "\n"))
    return bytes
  }

  /// The name under which a metadata key is shown: with a prefix if the line itself uses it.
  private static func free(
    _ key: String, in metadata: Logger.Metadata, hasError: Bool
  ) -> String {
    var name = key
    while isReserved(name, hasError: hasError) || (name != key && metadata[name] != nil) {
      name = "metadata_" + name
    }
    return name
  }

  private static func isReserved(_ key: String, hasError: Bool) -> Bool {
    switch key {
    case "time", "level", "message", "logger", "truncated", "lines_dropped": true
    case "error": hasError
    default: false
    }
  }

  private mutating func member(_ key: String, _ value: Logger.Metadata.Value, depth: Int) {
    guard key.utf8.count * 6 + 8 <= budget else {
      isTruncated = true
      return
    }
    writer.key(key)
    write(value, depth: depth)
  }

  private mutating func field(_ key: String, _ text: String, atMost: Int = limit) {
    writer.key(key)
    write(text, atMost: atMost)
  }

  private mutating func write(_ value: Logger.Metadata.Value, depth: Int) {
    switch value {
    case .string(let text): write(text)
    case .stringConvertible(let value): write(value.description)
    case .dictionary, .array:
      guard depth < Self.deepest, budget > 0 else {
        isTruncated = true
        writer.null()
        return
      }
      nest(value, depth: depth + 1)
    }
  }

  private mutating func nest(_ value: Logger.Metadata.Value, depth: Int) {
    switch value {
    case .dictionary(let members):
      writer.beginObject()
      for (key, value) in members.sorted(by: { $0.key < $1.key }) {
        member(key, value, depth: depth)
      }
      writer.endObject()
    case .array(let elements):
      writer.beginArray()
      for element in elements {
        guard budget > 8 else {
          isTruncated = true
          break
        }
        write(element, depth: depth)
      }
      writer.endArray()
    default: write(value, depth: depth)
    }
  }

  /// Writes a text, or as much of it as fits.
  private mutating func write(_ text: String, atMost: Int = limit) {
    let budget = min(budget, atMost)
    if text.utf8.count * 6 + 2 <= budget { return writer.string(text) }
    var cost = 2
    var end = text.startIndex
    for index in text.unicodeScalars.indices {
      let scalar = text.unicodeScalars[index]
      switch scalar.value {
      case 0..<0x20: cost += 6
      case 0x22, 0x5C: cost += 2
      default: cost += UTF8.width(scalar)
      }
      if cost > budget {
        isTruncated = true
        return writer.string(String(text[..<end]))
      }
      end = text.unicodeScalars.index(after: index)
    }
    writer.string(text)
  }
}
