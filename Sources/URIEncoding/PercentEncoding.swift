/// Percent-encoding (RFC 3986, section 2).
package enum PercentEncoding {
  /// Appends `text` with everything encoded but the unreserved `A-Z a-z 0-9 - . _ ~`, in upper-case
  /// hexadecimal. AWS signs what is encoded like that (`UriEncode` in
  /// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html).
  ///
  /// - Parameter keepsSlash: as in a path.
  package static func append(
    _ text: String, keepsSlash: Bool = false, to output: inout [UInt8]
  ) {
    for byte in text.utf8 {
      if isUnreserved(byte) || (keepsSlash && byte == UInt8(ascii: "/")) {
        output.append(byte)
      } else {
        output.append(UInt8(ascii: "%"))
        output.append(hexadecimal[Int(byte >> 4)])
        output.append(hexadecimal[Int(byte & 15)])
      }
    }
  }

  /// As ``append(_:keepsSlash:to:)``.
  package static func encode(_ text: String, keepsSlash: Bool = false) -> String {
    var output: [UInt8] = []
    output.reserveCapacity(text.utf8.count)
    append(text, keepsSlash: keepsSlash, to: &output)
    return String(decoding: output, as: UTF8.self)
  }

  /// Each escape resolved once; nil if one is malformed.
  ///
  /// - Parameter plusIsSpace: as in the fields of forms; elsewhere a plus is a plus.
  package static func decode(
    _ text: some Collection<UInt8>, plusIsSpace: Bool = false
  ) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    var iterator = text.makeIterator()
    while let byte = iterator.next() {
      switch byte {
      case UInt8(ascii: "%"):
        guard let high = iterator.next().flatMap(value), let low = iterator.next().flatMap(value)
        else { return nil }
        bytes.append(high << 4 | low)
      case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
      default: bytes.append(byte)
      }
    }
    return bytes
  }

  /// As ``decode(_:plusIsSpace:)``; nil also if the result is not UTF-8.
  package static func decodeText(
    _ text: some Collection<UInt8>, plusIsSpace: Bool = false
  ) -> String? {
    decode(text, plusIsSpace: plusIsSpace).flatMap { String(validating: $0, as: UTF8.self) }
  }

  private static let hexadecimal = Array("0123456789ABCDEF".utf8)

  private static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  private static func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
      UInt8(ascii: "_"), UInt8(ascii: "~"):
      true
    default: false
    }
  }
}
