import JSON
import LocalKubelet
import LocalServers
import Testing

private let staleSeconds = 5

/// Sidecars whose clocks are an hour off: time is the store's, so nothing changes.
@Suite(.serialized, .cluster { $0.guardWithPermits(staleAfter: staleSeconds) })
struct PermitClockTests {
  /// The environment of a process whose wall clock is off, and whose other clocks are not.
  ///
  /// `faketime` would not do: it also moves timers that go by other clocks.
  private func clock(offBy seconds: Int) async throws -> [String: String] {
    let processes = try cluster().processes
    let library = "\(try processes.newDirectory("clock"))/wrong-clock.so"
    let script = #"printf '%s' "$1" > "$2.c" && clang -shared -fPIC -O1 -o "$2" "$2.c""#
    let compiler = try await processes.start(
      LocalProcess.Command(
        name: "clang", executable: "/bin/sh",
        arguments: ["-c", script, "clang", Self.wrongClock, library]))
    let status = try await withDeadline(.seconds(60), "clang ends") {
      try await compiler.waitForExit()
    }
    try #require(status == .exited(0), "\(compiler.output)")
    return ["LD_PRELOAD": library, "CLOCK_OFFSET": "\(seconds)"]
  }

  private static let wrongClock = """
    #define _GNU_SOURCE
    #include <stdlib.h>
    #include <sys/syscall.h>
    #include <sys/time.h>
    #include <time.h>
    #include <unistd.h>
    static long offset(void) {
      const char *text = getenv("CLOCK_OFFSET");
      return text ? atol(text) : 0;
    }
    int clock_gettime(clockid_t clock, struct timespec *now) {
      int result = syscall(SYS_clock_gettime, clock, now);
      if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += offset();
      return result;
    }
    int gettimeofday(struct timeval *restrict now, void *restrict zone) {
      int result = syscall(SYS_gettimeofday, now, zone);
      if (result == 0 && now) now->tv_sec += offset();
      return result;
    }
    time_t time(time_t *result) {
      struct timespec now;
      clock_gettime(CLOCK_REALTIME, &now);
      if (result) *result = now.tv_sec;
      return now.tv_sec;
    }
    """

  private func run(_ name: String, key: String, clockOffBy seconds: Int) async throws -> RunningPod
  {
    let kubelet = try cluster().kubelet
    var (pod, _) = try await kubelet.admit(permitPod(name, key: key, length: 2))
    pod.addToSidecars(try await clock(offBy: seconds))
    let running = try kubelet.start(admitted: pod)
    try await running.wait(for: .appRunning)
    return running
  }

  /// Redis' own time, in seconds.
  private func now() async throws -> Double {
    let cluster = try cluster()
    return try #require(Double(try await cluster.ask(cluster.queue, "TIME").first ?? ""))
  }

  @Test func sidecarsWhoseClocksAreAnHourOffKeepTheirPermits() async throws {
    let cluster = try cluster()
    let before = try await now()
    let pods = [
      try await run("ahead", key: "clock", clockOffBy: 3600),
      try await run("behind", key: "clock", clockOffBy: -3600),
    ]
    let start = try await now()
    for (pod, offset) in zip(pods, [3600.0, -3600]) {
      // Its logs tell that it really has the wrong clock.
      let line = try #require(pod.sidecarOutput.first { $0.contains("gate opened") })
      let hours = [hour(of: before + offset), hour(of: start + offset)]
      #expect(hours.contains { line.contains($0) }, "\(hours) \(line)")
    }
    // Longer than the threshold, with somebody who asks all the while.
    while try await now() < start + Double(staleSeconds) + 2 {
      let refusal = try await cluster.kubelet.refusal(
        of: permitPod("third", key: "clock", length: 2))
      #expect(refusal.message.contains("2 of 2 permits are in flight"))
      for (_, heartbeat) in try await cluster.permits("clock") {
        #expect(abs(try await now() - heartbeat) < 60)
      }
      try await Task.sleep(for: .milliseconds(100))
    }
    let status = try await cluster.semaphoreStatus("clock")
    #expect(status["reclaimed"] == 0 && status["lost"] == 0 && status["inFlight"] == 2)
    for pod in pods {
      #expect(pod.isAppRunning && pod.count(.appStopped) == 0 && pod.count(.sidecarStarted) == 1)
      try await pod.delete()
    }
    #expect(try await cluster.rawCounts("clock") == RawCounts(queue: 2, inFlight: 0))
  }

  @Test func aDeadNodesPermitIsBackAfterTheThresholdWhateverItsClockSaid() async throws {
    async let ahead: Void = expectReclaimed("dead-ahead", clockOffBy: 3600)
    async let behind: Void = expectReclaimed("dead-behind", clockOffBy: -3600)
    try await ahead
    try await behind
  }

  private func expectReclaimed(_ key: String, clockOffBy seconds: Int) async throws {
    let cluster = try cluster()
    let pods = [
      try await run("dead", key: key, clockOffBy: seconds),
      try await run("alive", key: key, clockOffBy: seconds),
    ]
    let clock = UnixClock()
    try await pods[0].killNode()
    let last = try #require(try await cluster.permits(key)[pods[0].object.sidecarToken ?? ""])
    let (heir, _) = try await cluster.kubelet.createWhenAdmitted(
      permitPod("heir", key: key, length: 2))
    let silence = clock.time(of: try await heir.wait(for: .admitted).at) - last
    let threshold = Double(staleSeconds)
    #expect(silence > threshold - 0.01 && silence < threshold + 3, "\(silence)")
    #expect(pods[1].isAppRunning && pods[1].count(.appStopped) == 0)
    #expect(try await cluster.semaphoreStatus(key)["reclaimed"] == 1)
  }

  /// The hour as it is written in logs.
  private func hour(of seconds: Double) -> String {
    let hour = Int(seconds) / 3600 % 24
    return hour < 10 ? "T0\(hour):" : "T\(hour):"
  }
}

extension JSONValue {
  /// Adds environment variables to the hook's containers among the init containers.
  fileprivate mutating func addToSidecars(_ variables: [String: String]) {
    let containers = self["spec"]?["initContainers"]?.array ?? []
    self["spec"]?["initContainers"] = .array(
      containers.map { container in
        var container = container
        let added = variables.map { name, value -> JSONValue in
          ["name": .string(name), "value": .string(value)]
        }
        container["env"] = .array((container["env"]?.array ?? []) + added)
        return container
      })
  }
}
