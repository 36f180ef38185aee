import Glibc
import PrometheusText

/// What the kernel says about this process, read when it is asked for.
///
/// The names are those of Prometheus' own clients; what cannot be read is left out.
enum ProcessMetrics {
  static func families() -> [MetricFamily] {
    var families: [MetricFamily] = []
    func add(_ name: String, _ kind: MetricFamily.Kind, _ help: String, _ value: Double?) {
      guard let value else { return }
      let name = MetricName(sanitizing: name)
      families.append(MetricFamily(name, kind, help: help, samples: [Sample(name, value: value)]))
    }
    let memory = pages()
    add(
      "process_resident_memory_bytes", .gauge, "Resident memory size in bytes.", memory?.resident)
    add("process_virtual_memory_bytes", .gauge, "Virtual memory size in bytes.", memory?.virtual)
    add(
      "process_cpu_seconds_total", .counter, "Total user and system CPU time spent in seconds.",
      cpuSeconds())
    add(
      "process_start_time_seconds", .gauge,
      "Start time of the process since unix epoch in seconds.", startTime)
    add("process_open_fds", .gauge, "Number of open file descriptors.", openDescriptors())
    add("process_max_fds", .gauge, "Maximum number of open file descriptors.", maxDescriptors())
    return families
  }

  /// Start of the process, which never changes.
  private static let startTime: Double? = {
    guard let boot = bootTime(), let ticks = startTicks() else { return nil }
    return boot + ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
  }()

  /// proc(5), `/proc/pid/statm`: size and resident, in pages.
  private static func pages() -> (virtual: Double, resident: Double)? {
    let fields = text("/proc/self/statm").split(separator: " ")
    guard fields.count > 1, let virtual = Double(fields[0]), let resident = Double(fields[1])
    else { return nil }
    let size = Double(sysconf(Int32(_SC_PAGESIZE)))
    return (virtual * size, resident * size)
  }

  private static func cpuSeconds() -> Double? {
    var time = timespec()
    guard clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 else { return nil }
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// proc(5), `/proc/pid/stat`: field 22, counted behind the name in parentheses (field 2).
  private static func startTicks() -> Double? {
    let stat = text("/proc/self/stat")
    guard let end = stat.lastIndex(of: ")") else { return nil }
    let fields = stat[end...].split(separator: " ")
    return fields.count > 20 ? Double(fields[20]) : nil
  }

  private static func bootTime() -> Double? {
    for line in text("/proc/stat").split(separator: "\n") where line.hasPrefix("btime ") {
      return Double(line.dropFirst("btime ".count))
    }
    return nil
  }

  private static func openDescriptors() -> Double? {
    guard let directory = opendir("/proc/self/fd") else { return nil }
    defer { closedir(directory) }
    var count = 0
    while readdir(directory) != nil { count += 1 }
    // Not `.`, `..` and the descriptor of this directory.
    return Double(max(0, count - 3))
  }

  private static func maxDescriptors() -> Double? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
    return limit.rlim_cur == rlim_t.max ? .infinity : Double(limit.rlim_cur)
  }

  private static func text(_ path: String) -> String {
    guard let bytes = try? SmallFile.read(path, limit: 1 << 20) else { return "" }
    return String(decoding: bytes, as: UTF8.self)
  }
}
