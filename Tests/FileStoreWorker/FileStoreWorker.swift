import Glibc
import Logging
import NIOCore
import ObjectStore

/// Uses the file store of a directory until it is killed or done:
///
/// - `write DIRECTORY LOG NUMBER`: changes keys for ever, counting from a number, and says in a log
///   when each change begins and ends
/// - `increment DIRECTORY KEY COUNT`: adds to a number that others add to
/// - `hold DIRECTORY KEY`: begins a value that never ends
/// - `crowd DIRECTORY`: fills a small file system, then makes room again
/// - `overfill DIRECTORY KEY BYTES`: writes more than its limit for the size of files allows
@main
struct FileStoreWorker {
  static func main() async throws {
    var arguments = CommandLine.arguments.dropFirst().makeIterator()
    guard let task = arguments.next(), let directory = arguments.next() else {
      throw WorkerFault("a task and a directory are needed")
    }
    let rest = Array(arguments)
    if task == "overfill", rest.count == 2, let limit = Int(rest[1]) { try limitFiles(to: limit) }
    let store = try FileObjectStore(
      FileObjectStore.Configuration(directory: directory), logger: Logger(label: "worker"))
    print("ready")
    fflush(nil)
    switch (task, rest.count) {
    case ("write", 2):
      try await Changes(store: store, log: rest[0]).run(from: Int(rest[1]) ?? 0)
    case ("increment", 2):
      for _ in 0..<(Int(rest[1]) ?? 0) { try await increment(store, try ObjectKey(rest[0])) }
    case ("hold", 1):
      _ = try await store.write(
        try ObjectKey(rest[0]), WriteRequest(length: nil), from: EndlessSource())
    case ("overfill", 2):
      try await overfill(store, try ObjectKey(rest[0]), 4 * (Int(rest[1]) ?? 0))
    case ("crowd", 0):
      try await crowd(store)
    default:
      throw WorkerFault("no such task: \(task)")
    }
    print("done")
  }

  private static func increment(_ store: FileObjectStore, _ key: ObjectKey) async throws {
    while true {
      let (number, etag) = try await store.read(key, ReadRequest()) { answer in
        guard case .content(let info, _, let content) = answer,
          let bytes = try await content.next(),
          let number = Int(String(buffer: bytes))
        else { throw WorkerFault("\(key) has no number") }
        return (number, info.etag)
      }
      do throws(ObjectStoreError) {
        _ = try await store.write(
          key, WriteRequest(length: nil, condition: .matches(.oneOf([etag]))),
          from: OnceSource(ByteBuffer(string: "\(number + 1)")))
        return
      } catch {
        if error.kind != .conditionFailed { throw error }
      }
    }
  }

  private static func overfill(
    _ store: FileObjectStore, _ key: ObjectKey, _ count: Int
  ) async throws {
    do throws(ObjectStoreError) {
      let bytes = ByteBuffer(repeating: 1, count: count)
      _ = try await store.write(key, WriteRequest(length: count), from: OnceSource(bytes))
      print("written")
    } catch {
      print("refused: \(error.kind)")
    }
  }

  private static func crowd(_ store: FileObjectStore) async throws {
    let request = WriteRequest(length: 300_000)
    let bytes = ByteBuffer(repeating: 3, count: 300_000)
    var count = 0
    do throws(ObjectStoreError) {
      while count < 100 {
        _ = try await store.write(try key(count), request, from: OnceSource(bytes))
        count += 1
      }
      throw ObjectStoreError(.unavailable, "there is always room")
    } catch {
      print("refused: \(error.kind)")
    }
    for number in 0..<count {
      let size = try await store.head(try key(number), ReadRequest())
      guard case .content(let info, .whole) = size, info.size == 300_000 else {
        throw WorkerFault("value \(number) is \(size)")
      }
    }
    guard case .missing = try await store.head(try key(count), ReadRequest()) else {
      throw WorkerFault("half a value")
    }
    // What was refused takes no room.
    try await store.delete(try key(0), if: .none)
    _ = try await store.write(try key(count), request, from: OnceSource(bytes))
  }

  private static func key(_ number: Int) throws(ObjectStoreError) -> ObjectKey {
    do { return try ObjectKey("key/\(number)") } catch {
      throw ObjectStoreError(.unavailable, "\(error)")
    }
  }

  /// As on a full disk, writing fails in the middle.
  private static func limitFiles(to count: Int) throws {
    signal(SIGXFSZ, SIG_IGN)
    var limit = rlimit(rlim_cur: rlim_t(count), rlim_max: rlim_t(count))
    guard setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else {
      throw WorkerFault("the size of files cannot be limited")
    }
  }
}

struct WorkerFault: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

final class OnceSource: ObjectSource {
  private var bytes: ByteBuffer?

  init(_ bytes: ByteBuffer) { self.bytes = bytes }

  func next() async throws -> ByteBuffer? {
    defer { bytes = nil }
    return bytes
  }
}

/// A body of a mebibyte that then stands still.
final class EndlessSource: ObjectSource {
  private var count = 0

  func next() async throws -> ByteBuffer? {
    count += 1
    if count == 17 {
      print("holding")
      fflush(nil)
    }
    if count > 16 { try await Task.sleep(for: .seconds(3600)) }
    return ByteBuffer(repeating: 2, count: 64 << 10)
  }
}
