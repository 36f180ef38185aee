import Glibc
import NIOCore

/// What a worker said that it changed, and so what each key may have.
///
/// See `Changes` of the worker: every fifth change is a deletion.
struct ChangeHistory {
  private struct Key {
    /// The change that the key is known to have come to; nil: none.
    var settled: Int?
    var isDeleted = true
    /// Begun after that, and perhaps done.
    var begun: Int?
  }

  let log: String
  private(set) var nextNumber = 0
  private var states: [String: Key] = [:]
  private var readLength = 0

  init(log: String) { self.log = log }

  var keys: [String] { states.keys.sorted() }

  /// Reads what was added to the log.
  mutating func readLog() throws {
    let file = open(log, O_RDONLY)
    guard file >= 0 else { return }
    defer { close(file) }
    var status = stat()
    fstat(file, &status)
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size) - readLength)
    let count = pread(file, &bytes, bytes.count, off_t(readLength))
    guard count == bytes.count else { throw TestFault("cannot read \(log)") }
    readLength += count
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 2)
      guard words.count == 3, let number = Int(words[1]) else { throw TestFault("\(line)") }
      nextNumber = max(nextNumber, number + 1)
      var key = states[String(words[2])] ?? Key()
      if words[0] == "begin" {
        key.begun = number
      } else {
        key.settled = number
        key.isDeleted = number % 5 == 4
        key.begun = nil
      }
      states[String(words[2])] = key
    }
  }

  /// - Parameter number: of the change whose value was found, nil if none was.
  func isPossible(_ number: Int?, for name: String) -> Bool {
    guard let key = states[name] else { return number == nil }
    let old = key.isDeleted ? nil : key.settled
    guard let begun = key.begun else { return number == old }
    return number == old || number == (begun % 5 == 4 ? nil : begun)
  }

  /// What was found is what the next changes begin from.
  mutating func settle(_ number: Int?, for name: String) {
    states[name] = Key(settled: number, isDeleted: number == nil, begun: nil)
  }

  /// The number of the change that wrote a text, which must be whole.
  static func number(in text: String?) throws -> Int? {
    guard let text else { return nil }
    var bytes = ByteBuffer(string: text)
    guard let end = bytes.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) else {
      throw TestFault("half a value")
    }
    let words = (bytes.readString(length: end + 1 - bytes.readerIndex) ?? "").split {
      $0.isWhitespace
    }
    guard words.count == 2, let number = Int(words[0]), let size = Int(words[1]),
      bytes == ByteBuffer(repeating: UInt8(number % 127), count: size)
    else { throw TestFault("a mixed value: \(words)") }
    return number
  }
}
