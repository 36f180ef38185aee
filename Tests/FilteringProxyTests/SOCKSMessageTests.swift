import IPAddresses
import NIOCore
import Testing

@testable import FilteringProxy

@Suite struct SOCKSMessageTests {
  private func request(_ bytes: [UInt8]) throws(SOCKSFault) -> SOCKSDestination? {
    var buffer = ByteBuffer(bytes: bytes)
    return try SOCKSMessage.readRequest(&buffer)
  }

  private static let requests: [([UInt8], String)] = [
    ([5, 1, 0, 1, 127, 0, 0, 1, 0, 80], "127.0.0.1:80"),
    ([5, 1, 0, 3, 1, 97, 1, 187], "a:443"),
    ([5, 1, 0, 4] + [UInt8](repeating: 0, count: 15) + [1, 255, 255], "[::1]:65535"),
    // A browser names literals as names too.
    ([5, 1, 0, 3, 9] + Array("127.0.0.1".utf8) + [0, 80], "127.0.0.1:80"),
    (
      [5, 1, 0, 3, 255] + [UInt8](repeating: 97, count: 255) + [0, 1],
      String(repeating: "a", count: 255) + ":1"
    ),
  ]

  @Test func requestsAreReadHoweverTheyAreCut() throws {
    for (bytes, expected) in Self.requests {
      for count in 0..<bytes.count {
        var buffer = ByteBuffer(bytes: bytes[..<count])
        #expect(try SOCKSMessage.readRequest(&buffer) == nil)
        #expect(buffer.readableBytes == count)
      }
      var buffer = ByteBuffer(bytes: bytes + [1, 2, 3])
      #expect(try SOCKSMessage.readRequest(&buffer)?.description == expected)
      #expect(Array(buffer.readableBytesView) == [1, 2, 3])
    }
  }

  @Test func aLiteralIsAnAddressInWhicheverFormItComes() throws {
    let address = try #require(IPAddress("127.0.0.1"))
    for bytes in [Self.requests[0].0, Self.requests[3].0] {
      #expect(try request(bytes)?.host == .address(address))
    }
  }

  @Test(
    arguments: [
      ([4, 1, 0, 80], SOCKSFault.otherVersion(4)), ([5, 2, 0, 1], .otherCommand),
      ([5, 3, 0, 1], .otherCommand), ([5, 1, 0, 2], .otherAddress),
      ([5, 1, 0, 3, 0, 0, 80], .malformed),
      ([5, 1, 0, 3, 2, 97, 10, 0, 80], .malformed), ([5, 1, 0, 3, 2, 97, 0, 0, 80], .malformed),
      ([5, 1, 0, 3, 2, 0xc3, 0xa4, 0, 80], .malformed), ([71, 69, 84, 32], .otherVersion(71)),
    ] as [([UInt8], SOCKSFault)])
  func whatIsNoRequestIsNamed(_ bytes: [UInt8], _ fault: SOCKSFault) {
    #expect(throws: fault) { try request(bytes) }
  }

  @Test func greetingsAreReadHoweverTheyAreCut() throws {
    let bytes: [UInt8] = [5, 2, 0, 2]
    for count in 0..<bytes.count {
      var buffer = ByteBuffer(bytes: bytes[..<count])
      #expect(try SOCKSMessage.readGreeting(&buffer) == nil)
      #expect(buffer.readableBytes == count)
    }
    var buffer = ByteBuffer(bytes: bytes)
    #expect(try SOCKSMessage.readGreeting(&buffer) == [0, 2])
    var http = ByteBuffer(string: "GET / HTTP/1.1\r\n")
    #expect(throws: SOCKSFault.otherVersion(71)) { try SOCKSMessage.readGreeting(&http) }
  }

  /// Whatever comes: a message, a fault, or a wait for at most the longest message.
  @Test func randomBytesAreNeverWaitedOnForLong() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<20_000 {
      var bytes = (0..<SOCKSMessage.maximumBytes).map { _ in
        UInt8.random(in: 0...255, using: &random)
      }
      bytes[0] = 5
      bytes[1] = 1
      bytes[3] = [1, 3, 4, bytes[3]].randomElement(using: &random) ?? 1
      var buffer = ByteBuffer(bytes: bytes)
      do throws(SOCKSFault) {
        let message = try SOCKSMessage.readRequest(&buffer)
        #expect(message != nil)
      } catch {
        #expect(buffer.readableBytes == bytes.count)
      }
    }
  }
}
