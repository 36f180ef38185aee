import NIOCore
import RESP
import Testing

/// Work that grew with the square of the size would take these tests minutes.
@Suite struct RESPScalingTests {
  @Test func aBigBulkInSmallPieces() throws {
    let length = 8 << 20
    var wire = ByteBuffer()
    wire.writeRESPBulk(ByteBuffer(repeating: 0x61, count: length))
    var parser = RESPParser()
    var pieces = 0
    while let piece = wire.readSlice(length: min(1_460, wire.readableBytes)),
      piece.readableBytes > 0
    {
      #expect(pieces == 0 || !parser.isBetweenValues)
      // A copy, since slices of one buffer could be joined for free.
      parser.append(ByteBuffer(bytes: piece.readableBytesView))
      pieces += 1
      if let value = try parser.next() { #expect(value.bytes?.readableBytes == length) }
    }
    #expect(parser.isBetweenValues)
  }

  @Test func anArrayOfManyElementsInSmallPieces() throws {
    let count = 200_000
    var wire = ByteBuffer()
    wire.writeRESPHeader(UInt8(ascii: "*"), Int64(count))
    for index in 0..<count { wire.writeRESPBulk(Int64(index)) }
    var parser = RESPParser()
    var reply: RESPValue?
    while let piece = wire.readSlice(length: min(61, wire.readableBytes)), piece.readableBytes > 0 {
      parser.append(ByteBuffer(bytes: piece.readableBytesView))
      if let value = try parser.next() { reply = value }
    }
    #expect(reply?.array?.count == count)
    #expect(reply?.array?.last?.integer == Int64(count - 1))
  }

  @Test func aLongLineByteByByte() throws {
    var parser = RESPParser()
    parser.append(ByteBuffer(string: "+"))
    for _ in 0..<60_000 {
      parser.append(ByteBuffer(string: "a"))
      #expect(try parser.next() == nil)
    }
    parser.append(ByteBuffer(string: "\r\n"))
    #expect(try parser.next()?.string?.utf8.count == 60_000)
  }
}
