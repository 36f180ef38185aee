import Glibc
import NIOCore
import ObjectStore

/// Changes of keys one after the other, each said in a log before it begins and after it ended.
///
/// A value says its number and its size, then repeats one byte. Every fifth change is a deletion.
struct Changes {
  private static let lanes = 3
  private static let keys = 3
  private static let sizes = [10, 5_000, 70_000, 600_000]

  let store: FileObjectStore
  let log: String

  func run(from first: Int) async throws {
    let file = open(log, O_WRONLY | O_APPEND | O_CREAT, 0o600)
    guard file >= 0 else { throw WorkerFault("the log cannot be opened") }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for lane in 0..<Self.lanes {
        group.addTask {
          var number = first
          while true {
            let name = "lane \(lane)/\(number % Self.keys)/key"
            say("begin \(number) \(name)", to: file)
            try await change(try ObjectKey(name), number)
            say("end \(number) \(name)", to: file)
            number += 1
          }
        }
      }
      try await group.waitForAll()
    }
  }

  private func change(_ key: ObjectKey, _ number: Int) async throws {
    if number % 5 == 4 {
      try await store.delete(key, if: .none)
      return
    }
    let size = Self.sizes[number % Self.sizes.count]
    var bytes = ByteBuffer(string: "\(number) \(size)\n")
    bytes.writeRepeatingByte(UInt8(number % 127), count: size)
    _ = try await store.write(
      key, WriteRequest(length: bytes.readableBytes), from: OnceSource(bytes))
  }

  /// One call, so that a line is whole or not there.
  private func say(_ line: String, to file: CInt) {
    let bytes = Array("\(line)\n".utf8)
    _ = bytes.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
  }
}
