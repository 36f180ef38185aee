import Logging
import ServiceKit
import Testing
import Tracing

@Suite struct JSONLogHandlerTests {
  private let lines = Collected<[UInt8]>()

  private func only() throws -> JSONText {
    let line = try #require(lines.all.first)
    #expect(lines.all.count == 1 && line.last == UInt8(ascii: "\n"))
    #expect(line.count { $0 == UInt8(ascii: "\n") } == 1)
    return try JSONText(parsing: line)
  }

  @Test func writesOneObjectPerEvent() throws {
    var logger = lines.logger()
    logger[metadataKey: "pod"] = "a"
    logger.info("hello \"you\"\n", metadata: ["key": "ns/k", "count": "\(3)"])
    let text = try #require(lines.lines.first)
    #expect(
      text.contains(#","level":"info","message":"hello \"you\"\n","logger":"test","count":"3""#))
    let line = try only()
    #expect(line["key"] == .string("ns/k") && line["pod"] == .string("a"))
    #expect(line["time"]?.text?.count == 24)
  }

  @Test func writesNestedMetadataAsJSON() throws {
    lines.logger().info("m", metadata: ["a": ["x": ["1", "2"]], "b": [["k": "v"]]])
    let line = try only()
    #expect(line["a"] == .object(["x": .array([.string("1"), .string("2")])]))
    #expect(line["b"] == .array([.object(["k": .string("v")])]))
  }

  @Test func keysOfTheLineItselfGetAPrefix() throws {
    lines.logger().info("m", metadata: ["time": "t", "metadata_time": "u", "level": "l"])
    let line = try only()
    #expect(line["metadata_metadata_time"] == .string("t"))
    #expect(line["metadata_time"] == .string("u"))
    #expect(line["metadata_level"] == .string("l") && line["level"] == .string("info"))
  }

  @Test func theEventsMetadataWinsOverTheLoggers() throws {
    var logger = lines.logger()
    logger[metadataKey: "k"] = "logger"
    logger.info("m", metadata: ["k": "event"])
    #expect(try only()["k"] == .string("event"))
  }

  @Test func levelsBelowTheLoggersAreSilent() {
    lines.logger(level: .warning).notice("m")
    #expect(lines.all.isEmpty)
  }

  @Test func longLinesAreCutButStayJSON() throws {
    let long = String(repeating: "é\"", count: 100_000)
    lines.logger().info(
      "\(long)",
      metadata: ["a": "\(long)", "b": .array(Array(repeating: "x", count: 50_000)), "k": "v"])
    #expect(lines.all.allSatisfy { $0.count <= 16 * 1024 })
    let line = try only()
    #expect(line["truncated"] == .bool(true) && line["logger"] == .string("test"))
  }

  @Test func deepMetadataIsCut() throws {
    var value = Logger.MetadataValue.string("x")
    for _ in 0..<100 { value = ["n": value] }
    lines.logger().info("m", metadata: ["deep": value])
    #expect(try only()["truncated"] == .bool(true))
  }

  @Test func linesCarryTheTraceOfTheTask() throws {
    var context = InstrumentationContext.topLevel
    context.traceContext = TraceContext(
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    let lines = lines
    let logger = Logger(label: "test") { label in
      JSONLogHandler(
        label: label, sink: LogSink { lines.append($0) }, metadataProvider: .traceContext)
    }
    InstrumentationContext.withValue(context) { logger.info("in") }
    logger.info("out")
    let all = try lines.all.map { try JSONText(parsing: $0) }
    #expect(all[0]["trace_id"] == .string("0af7651916cd43dd8448eb211c80319c"))
    #expect(all[0]["span_id"] == .string("b7ad6b7169203331"))
    #expect(all[1]["trace_id"] == nil)
  }

  @Test(arguments: [
    (0, 0, "1970-01-01T00:00:00.000Z"), (1_795_251_600, 123, "2026-11-21T09:00:00.123Z"),
    (951_782_399, 999, "2000-02-28T23:59:59.999Z"), (951_782_400, 0, "2000-02-29T00:00:00.000Z"),
    (4_107_542_399, 5, "2100-02-28T23:59:59.005Z"), (-1, 0, "1969-12-31T23:59:59.000Z"),
  ])
  func timesAreUTC(seconds: Int, milliseconds: Int, wanted: String) {
    #expect(LogTimestamp.text(seconds: seconds, milliseconds: milliseconds) == wanted)
  }
}
