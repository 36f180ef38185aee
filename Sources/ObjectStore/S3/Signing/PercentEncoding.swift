/// Percent-encoding as AWS signs it: everything but `A-Z a-z 0-9 - . _ ~`, in upper-case hexadecimal
/// (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, `UriEncode`).
enum PercentEncoding {
  /// Appends `text` encoded.
  ///
  /// - Parameter keepsSlash: in the name of an object, as S3 wants it there.
  static func append(_ text: String, keepsSlash: Bool = false, to output: inout [UInt8]) {
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

  static func encode(_ text: String, keepsSlash: Bool = false) -> String {
    var output: [UInt8] = []
    output.reserveCapacity(text.utf8.count)
    append(text, keepsSlash: keepsSlash, to: &output)
    return String(decoding: output, as: UTF8.self)
  }

  /// What S3 encoded on request (`encoding-type=url`), where `+` is a space.
  ///
  /// - Returns: nil if it is not encoded like that, or no UTF-8.
  static func decodeForm(_ text: String) -> String? {
    var output: [UInt8] = []
    output.reserveCapacity(text.utf8.count)
    var bytes = text.utf8.makeIterator()
    while let byte = bytes.next() {
      switch byte {
      case UInt8(ascii: "+"): output.append(UInt8(ascii: " "))
      case UInt8(ascii: "%"):
        guard let high = bytes.next().flatMap(value), let low = bytes.next().flatMap(value) else {
          return nil
        }
        output.append(high << 4 | low)
      default: output.append(byte)
      }
    }
    return String(validating: output, as: UTF8.self)
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
