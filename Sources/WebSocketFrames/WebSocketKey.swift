import Crypto
import FoundationEssentials

/// What client and server say to each other so that each knows that the other speaks WebSocket
/// (RFC 6455, sections 4.1 and 4.2.2).
package enum WebSocketKey {
  /// For `Sec-WebSocket-Key`: another one for each connection.
  package static func random() -> String {
    Data((0..<16).map { _ in UInt8.random(in: 0...255) }).base64EncodedString()
  }

  /// Whether it is one that a client may send.
  package static func isValid(_ key: String) -> Bool {
    key.utf8.count == 24 && Data(base64Encoded: key)?.count == 16
  }

  /// `Sec-WebSocket-Accept` of the answer to a key.
  package static func accept(_ key: String) -> String {
    let text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    return Data(Insecure.SHA1.hash(data: Array(text.utf8))).base64EncodedString()
  }
}
