import Glibc
import PrometheusText

/// Parses a file again and again on one thread, and tells the rate in time of that thread's CPU:
/// `exposition-parse FILE [SECONDS]`.
@main
struct ExpositionParse {
  static func main() throws {
    guard CommandLine.arguments.count > 1, let bytes = read(CommandLine.arguments[1]) else {
      print("usage: exposition-parse FILE [SECONDS]")
      exit(64)
    }
    let seconds = CommandLine.arguments.count > 2 ? Double(CommandLine.arguments[2]) ?? 3 : 3
    let format = ExpositionFormat(sniffing: bytes)
    var rounds = 0
    var samples = 0
    var spent = 0.0
    while spent < seconds {
      var copy = bytes
      copy.reserveCapacity(bytes.count + 64)
      let start = cpuTime()
      let exposition = try Exposition(
        parsing: copy, format: format, reservedLabel: "merger_url")
      spent += cpuTime() - start
      samples = exposition.sampleCount
      rounds += 1
    }
    let rate = Double(bytes.count * rounds) / spent / 1e6
    print("\(Int(rate.rounded())) MB/s, \(samples) samples of \(bytes.count) bytes")
  }

  /// In seconds, of this thread.
  private static func cpuTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  private static func read(_ path: String) -> [UInt8]? {
    guard let file = fopen(path, "rb") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = fread(&chunk, 1, chunk.count, file)
      if count == 0 { return bytes }
      bytes.append(contentsOf: chunk[..<count])
    }
  }
}
