import Metrics
import ServiceKit
import Testing

@Suite struct PrometheusRegistryTests {
  private let registry = PrometheusRegistry(seriesLimit: 3)

  /// The exposed lines of a metric, without those of the process.
  private func lines(_ prefix: String) -> [String] {
    String(decoding: registry.expose(), as: UTF8.self).split(separator: "\n")
      .map(String.init).filter { $0.contains(prefix) }
  }

  @Test func countersCount() {
    registry.describe("admissions_total", help: "Decisions.")
    let labels = [("reason", "ok"), ("outcome", "allowed")]
    let counter = Counter(label: "admissions_total", dimensions: labels, factory: registry)
    counter.increment()
    counter.increment(by: 4)
    counter.increment(by: -1)
    Counter(label: "admissions", dimensions: labels.reversed(), factory: registry).increment()
    #expect(
      lines("admissions") == [
        "# HELP admissions_total Decisions.", "# TYPE admissions_total counter",
        "admissions_total{outcome=\"allowed\",reason=\"ok\"} 6",
      ])
  }

  @Test func floatingCountersGaugesAndMetersCount() {
    let counter = FloatingPointCounter(label: "seconds", factory: registry)
    counter.increment(by: 0.5)
    counter.increment(by: 0.25)
    Gauge(label: "held", factory: registry).record(3)
    let meter = Meter(label: "open", factory: registry)
    meter.set(5)
    meter.increment()
    meter.decrement(by: 2)
    #expect(lines("seconds_total").last == "seconds_total 0.75")
    #expect(lines("held").last == "held 3")
    #expect(lines("open").filter { $0.hasPrefix("open") } == ["open 4"])
  }

  @Test func timersAreHistogramsOfSeconds() {
    registry.describe("latency_seconds", help: "", buckets: [0.1, 0.01, .infinity])
    let timer = Timer(label: "latency", factory: registry)
    timer.recordMilliseconds(10)
    timer.recordMilliseconds(50)
    timer.recordSeconds(2)
    #expect(
      lines("latency_seconds") == [
        "# TYPE latency_seconds histogram", "latency_seconds_bucket{le=\"0.01\"} 1",
        "latency_seconds_bucket{le=\"0.1\"} 2", "latency_seconds_bucket{le=\"+Inf\"} 3",
        "latency_seconds_sum 2.06", "latency_seconds_count 3",
      ])
  }

  @Test func recordersAreHistograms() {
    registry.describe("sizes", help: "", buckets: [1])
    Recorder(label: "sizes", dimensions: [("le", "x"), ("a", "b")], factory: registry).record(1)
    #expect(lines("sizes_bucket").first == "sizes_bucket{a=\"b\",le=\"1\"} 1")
  }

  @Test func namesAreSanitized() {
    Counter(label: "http.server/requests", dimensions: [("http.method", "GET")], factory: registry)
      .increment()
    #expect(lines("http").last == "http_server_requests_total{http_method=\"GET\"} 1")
  }

  @Test func labelSetsBeyondTheLimitShareOneSeries() {
    for number in 0..<5 {
      Counter(label: "many_total", dimensions: [("n", "\(number)")], factory: registry).increment()
    }
    #expect(
      lines("many_total").dropFirst() == [
        "metrics_label_sets_dropped_total{metric=\"many_total\"} 2"
      ] || lines("many_total{").count == 4)
    #expect(lines("many_total{overflow").first == "many_total{overflow=\"true\"} 2")
    #expect(
      lines("metric=\"many_total\"") == [
        "metrics_label_sets_dropped_total{metric=\"many_total\"} 2"
      ])
  }

  @Test func aNameKeepsItsFirstKind() {
    Counter(label: "x_total", factory: registry).increment()
    Gauge(label: "x_total", factory: registry).record(9)
    #expect(
      lines("x_total") == [
        "metrics_conflicts_total{metric=\"x_total\"} 1", "# TYPE x_total counter", "x_total 1",
      ])
  }

  @Test func destroyedSeriesAreGone() {
    let counter = Counter(label: "gone_total", dimensions: [("a", "1")], factory: registry)
    let other = Counter(label: "gone_total", dimensions: [("a", "2")], factory: registry)
    counter.destroy()
    other.increment()
    Counter(label: "gone_total", dimensions: [("a", "2")], factory: registry).increment()
    #expect(lines("gone_total{") == ["gone_total{a=\"2\"} 2"])
  }

  @Test func nothingIsLostInParallel() async {
    let counter = Counter(label: "parallel", factory: registry)
    let sum = FloatingPointCounter(label: "parallel_sum", factory: registry)
    let timer = Timer(label: "parallel_time", factory: registry)
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask {
          for _ in 0..<1000 {
            counter.increment()
            sum.increment(by: 0.5)
            timer.recordNanoseconds(1)
          }
        }
      }
    }
    #expect(lines("parallel_total").last == "parallel_total 8000")
    #expect(lines("parallel_sum_total").last == "parallel_sum_total 4000")
    #expect(lines("parallel_time_seconds_count").last == "parallel_time_seconds_count 8000")
  }

  @Test(arguments: [
    "process_resident_memory_bytes", "process_cpu_seconds_total", "process_start_time_seconds",
    "process_open_fds", "process_max_fds", "process_virtual_memory_bytes",
  ])
  func exposesTheProcess(name: String) throws {
    let line = try #require(lines(name).last)
    let value = try #require(Double(line.dropFirst(name.count + 1)))
    #expect(value > 0)
    if name == "process_start_time_seconds" { #expect(value > 1_600_000_000) }
  }
}
