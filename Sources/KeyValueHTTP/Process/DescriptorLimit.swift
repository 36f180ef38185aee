import Glibc

/// How many files and connections this process may have open.
enum DescriptorLimit {
  /// Raises the limit as far as the system lets everybody (`RLIMIT_NOFILE`), and returns it.
  static func raised() -> Int {
    let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var limit = rlimit()
    guard getrlimit(kind, &limit) == 0 else { return 1024 }
    if limit.rlim_cur < limit.rlim_max {
      limit.rlim_cur = limit.rlim_max
      setrlimit(kind, &limit)
      getrlimit(kind, &limit)
    }
    return Int(clamping: limit.rlim_cur)
  }
}
