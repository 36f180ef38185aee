import Crypto
import JSON

/// The tokens of a file, and what each of them allows.
struct TokenTable: Sendable {
  /// The most bytes and entries of a file.
  static let maximumBytes = 1 << 20
  static let maximumEntries = 1000

  struct Grant: Sendable, Hashable {
    /// Of the keys that are meant.
    let prefix: String
    let rights: Set<Right>

    func allows(_ right: Right, _ key: String) -> Bool {
      rights.contains(right) && key.utf8.starts(with: prefix.utf8)
    }
  }

  /// Why a file cannot be used; names the entry, never a token.
  struct Fault: Error, Hashable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
  }

  private let entries: [(digest: [UInt8], grant: Grant)]

  init() { entries = [] }

  /// Reads a JSON object with a list `tokens`. Each entry has a `token`, or its `sha256` in
  /// hexadecimal digits so that the file holds no secret; `rights`, a list of `read`, `write` and
  /// `list`; and a `prefix` of the keys that they hold for (default: all keys). A token may have
  /// several entries.
  init(parsing bytes: [UInt8]) throws(Fault) {
    let root: JSONNode
    let list: JSONNode?
    do throws(JSONError) {
      root = try JSONDocument(
        parsing: bytes, limits: .init(bytes: Self.maximumBytes, depth: 8, values: 1 << 16)
      ).root
      list = try root.field("tokens")
    } catch {
      throw Fault("it is no JSON that can be read: \(error)")
    }
    guard let list, list.isArray, root.members.count == 1 else {
      throw Fault(#"it has to be an object with a list "tokens", and nothing else"#)
    }
    guard list.elements.count <= Self.maximumEntries else {
      throw Fault("it has more than \(Self.maximumEntries) entries")
    }
    var entries: [(digest: [UInt8], grant: Grant)] = []
    for (number, node) in list.elements.enumerated() {
      do throws(Fault) {
        entries.append(try Self.entry(node))
      } catch {
        throw Fault("entry \(number + 1): \(error)")
      }
    }
    self.entries = entries
  }

  private static func entry(_ node: JSONNode) throws(Fault) -> (digest: [UInt8], grant: Grant) {
    var digest: [UInt8]?
    var rights: Set<Right> = []
    var prefix = ""
    var seen: Set<String> = []
    for (name, value) in node.members {
      guard seen.insert(name).inserted else { throw Fault("\"\(name)\" is there twice") }
      switch name {
      case "token":
        guard let token = value.string, !token.isEmpty, token.utf8.allSatisfy(isTokenByte) else {
          throw Fault("\"token\" has to be a text of visible ASCII characters")
        }
        guard digest == nil else { throw Fault("\"token\" and \"sha256\" exclude each other") }
        digest = Self.digest(token)
      case "sha256":
        guard let text = value.string, let bytes = hexadecimal(text), bytes.count == 32 else {
          throw Fault("\"sha256\" has to have 64 hexadecimal digits")
        }
        guard digest == nil else { throw Fault("\"token\" and \"sha256\" exclude each other") }
        digest = bytes
      case "prefix":
        guard let text = value.string else { throw Fault("\"prefix\" has to be a text") }
        prefix = text
      case "rights":
        for element in value.elements {
          guard let right = element.string.flatMap(Right.init) else {
            throw Fault("\"rights\" can be read, write and list")
          }
          rights.insert(right)
        }
      default: throw Fault("there can only be token or sha256, prefix and rights")
      }
    }
    guard let digest else { throw Fault("there is neither \"token\" nor \"sha256\"") }
    guard !rights.isEmpty else { throw Fault("\"rights\" has to name read, write or list") }
    return (digest, Grant(prefix: prefix, rights: rights))
  }

  /// What a token allows; empty: it is unknown.
  ///
  /// Compares digests, all of them and to their ends: time tells nothing about a token.
  func grants(of token: String) -> [Grant] {
    let digest = Self.digest(token)
    var grants: [Grant] = []
    for entry in entries {
      let difference = zip(entry.digest, digest).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) }
      if difference == 0 { grants.append(entry.grant) }
    }
    return grants
  }

  private static func digest(_ token: String) -> [UInt8] {
    Array(SHA256.hash(data: Array(token.utf8)))
  }

  private static func isTokenByte(_ byte: UInt8) -> Bool { (0x21...0x7e).contains(byte) }

  private static func hexadecimal(_ text: String) -> [UInt8]? {
    let digits = text.utf8.map { Character(Unicode.Scalar($0)).hexDigitValue }
    guard digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = digits[index], let low = digits[index + 1] else { return nil }
      bytes.append(UInt8(high << 4 | low))
    }
    return bytes
  }
}
