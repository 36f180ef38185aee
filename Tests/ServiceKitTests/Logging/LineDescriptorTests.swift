import Logging
import NIOPosix
import Testing

@testable import ServiceKit

@Suite(.timeLimit(.minutes(2))) struct LineDescriptorTests {
  private func logger(_ pipe: Pipe, patience: Duration = .milliseconds(50)) -> Logger {
    let sink = LogSink(LineDescriptor(pipe.writer, patience: patience))
    return Logger(label: "test") { JSONLogHandler(label: $0, sink: sink) }
  }

  private func lines(_ bytes: [UInt8]) -> [JSONText?] {
    bytes.split(separator: UInt8(ascii: "\n")).map { try? JSONText(parsing: $0) }
  }

  @Test func aStalledReaderCostsLinesButNoTimeAndTheLossShows() throws {
    let pipe = try Pipe()
    let logger = logger(pipe)
    // Hundreds of KiB into a pipe of 64: this would never return if it waited.
    for index in 0..<5000 { logger.info("m", metadata: ["index": "\(index)"]) }
    let before = lines(pipe.drain())
    #expect(before.count > 100 && before.count < 5000)
    #expect(before.enumerated().allSatisfy { $1?["index"] == .string("\($0)") })

    logger.info("first")
    logger.info("second")
    let after = lines(pipe.drain())
    #expect(after.count == 2 && after.last??["message"] == .string("second"))
    #expect(after.first??["message"] == .string("first"))
    #expect(after.first??["lines_dropped"] == .number(Double(5000 - before.count)))
    #expect(after.last??["lines_dropped"] == nil)
  }

  @Test func aLongLineThatMeetsAFullPipeIsCutAndTheNextOneIsIntact() throws {
    let pipe = try Pipe(capacity: 8192)
    let logger = logger(pipe)
    logger.info("\(String(repeating: "x", count: 50_000))", metadata: ["a": "b"])
    logger.info("dropped")
    let cut = pipe.drain()
    #expect(cut.count == 8192 && !cut.contains(UInt8(ascii: "\n")))

    logger.info("next")
    logger.info("last")
    let after = pipe.drain()
    #expect(after.first == UInt8(ascii: "\n"))
    let lines = lines(after)
    #expect(lines.count == 2 && lines.first??["message"] == .string("next"))
    #expect(lines.first??["lines_dropped"] == .number(2))
    #expect(lines.last??["message"] == .string("last"))
  }

  @Test func aLongLineArrivesWholeWhileSomebodyReads() async throws {
    let pipe = try Pipe(capacity: 4096)
    let line = Array(repeating: UInt8(ascii: "x"), count: 16 * 1024 - 1) + [UInt8(ascii: "\n")]
    async let received = NIOThreadPool.singleton.runIfActive { [count = line.count] in
      pipe.read(count: count)
    }
    LineDescriptor(pipe.writer, patience: .seconds(60)).write(line)
    let arrived = try await received
    #expect(arrived == line)
  }

  @Test func theCountOfLostLinesNeverMakesALineTooLong() throws {
    let pipe = try Pipe()
    let logger = logger(pipe)
    for _ in 0..<5000 { logger.info("m") }
    _ = pipe.drain()
    let long = String(repeating: "x", count: 9000)
    logger.info("\(long)", metadata: ["a": "\(long)", "lines_dropped": "mine"])
    let line = pipe.drain()
    #expect(line.count > 16_000 && line.count <= LogLine.limit)
    #expect(lines(line).first??["truncated"] == .bool(true))
  }

  @Test func metadataDoesNotCollideWithTheCount() {
    let lines = Collected<[UInt8]>()
    lines.logger().info("m", metadata: ["lines_dropped": "mine"])
    #expect(lines.lines.first?.contains(#""metadata_lines_dropped":"mine""#) == true)
  }
}
