import Glibc

/// The part of a process's code that is in its resident memory.
///
/// Starting a Swift program touches most of its text once: metadata is registered, conformances are
/// looked up, options are parsed. A process that then idles for weeks keeps all of that mapped.
package enum ResidentCode {
  /// Unmaps the pages of all code. What runs on is mapped again as it is used, mostly from the page
  /// cache: call it once, when the start is over.
  ///
  /// Safe at any time: executable mappings of files are never written to, so that the kernel can
  /// always read them again (`MADV_DONTNEED`, https://man7.org/linux/man-pages/man2/madvise.2.html).
  package static func release() {
    guard let maps = try? SmallFile.read("/proc/self/maps", limit: 1 << 20) else { return }
    for line in maps.split(separator: UInt8(ascii: "\n")) {
      let fields = String(decoding: line, as: UTF8.self).split(separator: " ")
      guard fields.count >= 6, fields[1] == "r-xp", fields[5].hasPrefix("/") else { continue }
      let bounds = fields[0].split(separator: "-").compactMap { UInt(String($0), radix: 16) }
      guard bounds.count == 2, bounds[0] < bounds[1] else { continue }
      madvise(
        UnsafeMutableRawPointer(bitPattern: bounds[0]), Int(bounds[1] - bounds[0]), MADV_DONTNEED)
    }
  }
}
