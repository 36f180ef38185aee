/// Where the value of a key lies: a relative path of safe file names, a different one for each key.
///
/// Each segment of a key is a directory, the last one the file, so that a listing reads only the
/// directories that it shows:
///
/// | key | path |
/// | --- | --- |
/// | `a` beside `a/b` and `a/` | `a=`, `a/b=`, `a/=` |
/// | `a//b` | `a/%/b=` |
/// | `50 %` | `50%20%25=` |
/// | 600 times `x` | 248 times `x` and `%+`, the same again, the rest and `=` |
///
/// Segments are escaped byte by byte, so that neither letter case folding nor normalization of a
/// file system other than Linux's usual ones would be needed to read them back.
struct ValuePath: Sendable, Hashable {
  /// Relative, without a slash at either end.
  let text: String

  init(_ key: ObjectKey) {
    var path: [UInt8] = []
    path.reserveCapacity(key.text.utf8.count + 16)
    Self.forEachSegment(of: key.text.utf8) { segment, isLast in
      FileName.append(segment, isLast: isLast, to: &path)
    }
    text = String(decoding: path, as: UTF8.self)
  }

  /// The directory of all keys that begin with the part of `prefix` up to its last slash; empty for
  /// the topmost. Also for what cannot be the beginning of a key: such a directory does not exist.
  static func directory(ofKeysWith prefix: ArraySlice<UInt8>) -> String {
    var path: [UInt8] = []
    forEachSegment(of: prefix) { segment, isLast in
      if !isLast { FileName.append(segment, isLast: false, to: &path) }
    }
    if !path.isEmpty { path.removeLast() }
    return String(decoding: path, as: UTF8.self)
  }

  /// The directories that it lies in, the deepest first, without the topmost.
  var directories: [String] { Self.directories(of: text) }

  static func directories(of path: String) -> [String] {
    var result: [String] = []
    var rest = path.utf8[...]
    while let slash = rest.lastIndex(of: UInt8(ascii: "/")) {
      rest = rest[..<slash]
      result.append(String(Substring(rest)))
    }
    return result
  }

  private static func forEachSegment<Bytes: BidirectionalCollection<UInt8>>(
    of bytes: Bytes, _ body: (Bytes.SubSequence, _ isLast: Bool) -> Void
  ) {
    var start = bytes.startIndex
    while let slash = bytes[start...].firstIndex(of: UInt8(ascii: "/")) {
      body(bytes[start..<slash], false)
      start = bytes.index(after: slash)
    }
    body(bytes[start...], true)
  }
}
