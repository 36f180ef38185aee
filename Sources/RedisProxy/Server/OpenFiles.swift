import Glibc

/// The limit of open files of this process.
package enum OpenFiles {
  /// Allows as many as the system does: every client and every server is one, and shells and
  /// containers often begin with 1024.
  package static func allowAll() {
    var limit = rlimit()
    let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard getrlimit(kind, &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    setrlimit(kind, &limit)
  }
}
