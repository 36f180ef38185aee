import PrometheusText
import Testing

@Suite struct ProtobufParserTests {
  private func error(_ bytes: [UInt8]) -> ExpositionError? {
    #expect(throws: ExpositionError.self) { try Exposition(parsing: bytes, format: .protobuf) }
  }

  @Test func namesTheFamilyOfAFault() throws {
    let whole = try Fixture(name: "native.pb").bytes()
    #expect(error(Array(whole.dropLast()))?.place == .family(5))
    #expect(error(whole + [200])?.place == .family(6))
    #expect(error([2, 0x0A, 9])?.reason == "a message is cut off")
    #expect(error([3, 0x0A, 1, 0xFF])?.reason == "a text is not UTF-8")
    #expect(error([2, 0x18, 9])?.reason == "the name is empty or too long")
  }

  @Test func refusesAValueOfAnotherTypeThanTheFamilys() {
    // Name "a", type histogram, and a gauge of 0.
    let family: [UInt8] = [0x0A, 1, 0x61, 0x18, 4, 0x22, 2, 0x12, 0]
    #expect(
      error([UInt8(family.count)] + family)?.reason
        == "the value of a metric is not of the family's type")
  }

  @Test func countsLinesRatherThanMessages() throws {
    let histogram = Message {
      $0.add(7) {
        $0.add(1, 3)
        $0.add(2, 1.5)
        $0.add(3) {
          $0.add(1, 1)
          $0.add(2, 0.5)
        }
      }
    }
    let bytes = Message.exposition(.family("h", type: 4, histogram, histogram))
    let exposition = try Exposition(parsing: bytes, format: .protobuf)
    #expect(exposition.sampleCount == 4)
    #expect(exposition.duplicates == 4)
  }

  @Test func refusesLabelsThatBoundsHaveInText() {
    let bucket = Message {
      $0.add(1, .label("le", "1"))
      $0.add(7) { $0.add(1, 0) }
    }
    #expect(error(Message.exposition(.family("h", type: 4, bucket))) != nil)
    let counter = Message.exposition(
      .family("c", type: 0, .value(2, 1)))
    #expect(error(counter)?.reason == "the value of a metric is not of the family's type")
  }

  @Test func readsEveryCutWithoutACrash() throws {
    let whole = try Fixture(name: "native.pb").bytes()
    for count in 0..<whole.count {
      _ = try? Exposition(parsing: Array(whole.prefix(count)), format: .protobuf)
    }
  }
}
