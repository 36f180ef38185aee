/// A number of bytes as people write it.
enum ByteCount {
  /// Reads `1024`, `64KiB`, `5GiB`; nil: the text is no such number. The `iB` may be missing.
  static func parse(_ text: String) -> Int? {
    let digits = text.prefix { ("0"..."9").contains($0) }
    guard let number = Int(digits) else { return nil }
    let unit: Int
    switch text.dropFirst(digits.count) {
    case "", "B": unit = 1
    case "KiB", "Ki", "K": unit = 1 << 10
    case "MiB", "Mi", "M": unit = 1 << 20
    case "GiB", "Gi", "G": unit = 1 << 30
    case "TiB", "Ti", "T": unit = 1 << 40
    default: return nil
    }
    let (bytes, overflow) = number.multipliedReportingOverflow(by: unit)
    return overflow ? nil : bytes
  }
}
