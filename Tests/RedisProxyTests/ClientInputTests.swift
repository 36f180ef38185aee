import NIOCore
import Testing

@testable import RedisProxy

@Suite struct ClientInputTests {
  /// Takes what there is, as a client's handler does.
  private func drain(_ input: inout ClientInput, into out: inout ByteBuffer) throws {
    while input.count > 0 {
      if input.isForwarding {
        guard var piece = try input.takePiece() else { return }
        out.writeBuffer(&piece)
        if input.isForwarding { return }
        continue
      }
      switch try input.front() {
      case .incomplete: return
      case .long: input.beginForwarding()
      case .complete(let command):
        var whole = input.take(command)
        out.writeBuffer(&whole)
      }
    }
  }

  @Test func commandsPassUnchangedHoweverTheyWereCut() throws {
    var random = Random(state: 7)
    for _ in 0..<40 {
      var sent = ""
      var expected = ""
      for _ in 0..<12 {
        switch random.below(6) {
        case 0:
          sent += "PING  x\r\n"
          expected += MemoryClient.encode(["PING", "x"])
        case 1: sent += ["\r\n", "*0\r\n", "*-1\r\n"][random.below(3)]
        case 2:
          let long = MemoryClient.encode(
            ["SET", "a", String(repeating: "\r\n$*", count: 20_000 + random.below(30_000))])
          sent += long
          expected += long
        case 3:
          let many = MemoryClient.encode(
            ["RPUSH"] + Array(repeating: "INCR x", count: 8_000 + random.below(8_000)))
          sent += many
          expected += many
        default:
          let small = MemoryClient.encode(["SET", "k\(random.below(9))", ""])
          sent += small
          expected += small
        }
      }
      let bytes = Array(sent.utf8)
      var input = ClientInput()
      var out = ByteBuffer()
      var position = 0
      while position < bytes.count {
        let end = min(bytes.count, position + 1 + random.below(random.below(4) == 0 ? 65_536 : 900))
        input.append(ByteBuffer(bytes: bytes[position..<end]))
        position = end
        try drain(&input, into: &out)
      }
      #expect(out == ByteBuffer(string: expected))
      #expect(input.count == 0)
    }
  }

  @Test(arguments: [40, 9_000, 40_000])
  func aPipelineWithoutEndNeedsNoMoreMemoryThanWhatIsReadable(size: Int) throws {
    let command = MemoryClient.encode(["SET", "k", String(repeating: "v", count: size)])
    let bytes = ByteBuffer(string: String(repeating: command, count: 1 + 2_000_000 / size))
    var input = ClientInput()
    var peak = 0
    for _ in 0..<(size < 100 ? 1 : 20) {
      var rest = bytes
      while let piece = rest.readSlice(length: min(65_536, rest.readableBytes)),
        piece.readableBytes > 0
      {
        input.append(ByteBuffer(bytes: piece.readableBytesView))
        while case .complete(let proof) = try input.front() { _ = input.take(proof) }
        peak = max(peak, input.capacity)
      }
    }
    #expect(peak <= 4 * ClientInput.limit)
  }

  @Test func aWordInALineIsNotCutAtItsEnd() throws {
    var input = ClientInput()
    input.append(ByteBuffer(string: "SET a 1\nGET a\r\nPING"))
    var out = ByteBuffer()
    try drain(&input, into: &out)
    #expect(
      String(buffer: out) == MemoryClient.encode(["SET", "a", "1"])
        + MemoryClient.encode(["GET", "a"]))
    #expect(input.count == 4)
  }
}
