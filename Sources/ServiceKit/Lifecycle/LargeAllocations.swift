import CLinux

/// Where memory for large buffers comes from.
package enum LargeAllocations {
  /// Gives every allocation of 1 MiB or more a mapping of its own from here on, which goes back to
  /// the system as soon as it is freed.
  ///
  /// Left to itself, glibc raises this limit to the size of what was freed last (up to 32 MiB), and
  /// keeps large buffers in its heaps, in pieces, long after the last has gone
  /// (`M_MMAP_THRESHOLD`, https://man7.org/linux/man-pages/man3/mallopt.3.html).
  package static func returnToSystem() { mallopt(M_MMAP_THRESHOLD, 1 << 20) }
}
