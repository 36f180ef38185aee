import NIOCore
import RESP
import Testing

@Suite struct RESPParserTests {
  @Test(arguments: Sample.all)
  func parsesEveryType(sample: Sample) throws {
    #expect(try parseAll(sample.wire) == [sample.value])
  }

  @Test(arguments: Sample.all)
  func parsesTheSameWhereverThePiecesAreSplit(sample: Sample) throws {
    let bytes = Array(sample.wire.utf8)
    for split in 0...bytes.count {
      var parser = RESPParser()
      parser.append(ByteBuffer(bytes: bytes[..<split]))
      let early = try parser.next()
      #expect((early == nil) == (split < bytes.count))
      parser.append(ByteBuffer(bytes: bytes[split...]))
      let late = try parser.next()
      #expect(early ?? late == sample.value)
      #expect(try parser.next() == nil)
      #expect(parser.isBetweenValues)
    }
  }

  @Test func parsesAStreamOfValuesByteByByte() throws {
    let wire = Sample.all.map(\.wire).joined()
    var parser = RESPParser()
    var values: [RESPValue] = []
    for byte in wire.utf8 {
      parser.append(ByteBuffer(bytes: [byte]))
      while let value = try parser.next() { values.append(value) }
    }
    #expect(values == Sample.all.map(\.value))
    #expect(parser.isBetweenValues)
  }

  @Test func parsesNotANumber() throws {
    for wire in [",nan\r\n", ",-nan\r\n"] {
      guard case .double(let number) = try parseAll(wire).first else {
        Issue.record("no double")
        continue
      }
      #expect(number.isNaN)
    }
  }

  @Test func attachesAttributesWhenAskedTo() throws {
    let wire = "*2\r\n|1\r\n+ttl\r\n:3600\r\n:1\r\n:2\r\n"
    let ttl = RESPMapEntry(key: .simpleString("ttl"), value: 3600)
    let values = try parseAll(ByteBuffer(string: wire), attributes: .attach)
    #expect(values == [[.attributed([ttl], 1), 2]])
    #expect(values.first?.array?.first?.integer == 1)
    var encoded = ByteBuffer()
    for value in values { encoded.writeRESP(value) }
    #expect(String(buffer: encoded) == wire)
  }

  @Test func keepsBytesThatAreNoText() throws {
    let payload: [UInt8] = [0xFF, 0x00, 0x0D, 0x0A, 0xFE]
    var wire = ByteBuffer()
    wire.writeRESPBulk(ByteBuffer(bytes: payload))
    let value = try #require(try parseAll(wire).first)
    #expect(value.bytes.map { Array($0.readableBytesView) } == payload)
  }

  @Test func accessorsReadBothVersions() throws {
    let two: RESPValue = ["proto", 3, "mode", "standalone"]
    let three = RESPValue.map([RESPMapEntry(key: "proto", value: 3)])
    #expect(two["proto"]?.integer == 3)
    #expect(three["proto"]?.integer == 3)
    #expect(two["mode"]?.string == "standalone")
    #expect(three["mode"] == nil)
    #expect(RESPValue.simpleError("WRONGTYPE no list").errorCode == "WRONGTYPE")
    #expect(RESPValue.bulkError(ByteBuffer(string: "ERR")).errorCode == "ERR")
    #expect(RESPValue.null.isNull)
    #expect(RESPValue("12").integer == 12)
    #expect(RESPValue("x").integer == nil)
  }
}
