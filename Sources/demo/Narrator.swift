import Glibc

/// Tells on standard output what happens, each line with the time since the start.
final class Narrator {
  let start = ContinuousClock.now
  /// What did not go as it must.
  private(set) var failures: [String] = []

  func title(_ text: String) { write("\n\(text)\n") }

  func say(_ text: String) { write("\(stamp)  \(text)\n") }

  /// Tells a result that was promised, and remembers if it did not come true.
  func check(_ isTrue: Bool, _ text: String) {
    write("\(stamp)  \(isTrue ? "✓" : "✗") \(text)\n")
    if !isTrue { failures.append(text) }
  }

  func fail(_ text: String) {
    failures.append(text)
    write("\(stamp)  ✗ \(text)\n")
  }

  func plain(_ text: String) { write("\(text)\n") }

  private var stamp: String { padded(seconds(.now - start), 7) }

  private func write(_ text: String) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      guard count > 0 else { return }
      bytes = bytes.dropFirst(count)
    }
  }
}

/// `4.2 s`
func seconds(_ duration: Duration) -> String {
  let tenths = (milliseconds(duration) + 50) / 100
  return "\(tenths / 10).\(tenths % 10) s"
}

func milliseconds(_ duration: Duration) -> Int {
  let (seconds, attoseconds) = duration.components
  return Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
}

/// Milliseconds for short times, seconds for long ones.
func brief(_ duration: Duration) -> String {
  duration < .seconds(1) ? "\(milliseconds(duration)) ms" : seconds(duration)
}

/// Right-aligned.
func padded(_ text: String, _ width: Int) -> String {
  String(repeating: " ", count: max(0, width - text.count)) + text
}

/// Left-aligned.
func filled(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(0, width - text.count))
}
