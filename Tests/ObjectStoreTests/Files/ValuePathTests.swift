import Testing

@testable import ObjectStore

@Suite("File store: names")
struct ValuePathTests {
  @Test("Keys become paths that people can read")
  func examples() throws {
    let x = String(repeating: "x", count: 248)
    let cases = [
      "a": "a=", "a/b": "a/b=", "a/": "a/=", "/": "%/=", "//": "%/%/=", "a//b": "a/%/b=",
      "50 %": "50%20%25=", "a=": "a%3D=", "é": "%C3%A9=", ".hidden/...": ".hidden/...=",
      "models/llama-3:8b/weights_1.bin": "models/llama-3:8b/weights_1.bin=",
      x: "\(x)=", x + "/y": "\(x)/y=", x + "y": "\(x)%+/y=", x + "-y": "\(x)%-/-y=",
      x + "./y": "\(x)%-/%2E/y=", x + "..": "\(x)%-/%2E%2E=",
    ]
    for (key, path) in cases { #expect(ValuePath(try ObjectKey(key)).text == path) }
  }

  @Test("Any key has a path of its own, of names that are safe, and can be read back from it")
  func roundTrip() throws {
    var generator = SplitMix(seed: 2)
    let random = (0..<5_000).map { _ in SampleKeys.random(using: &generator) }
    let bytes = (0..<500).map { _ in Self.randomBytes(using: &generator) }
    var keys: [String: ObjectKey] = [:]
    for text in SampleKeys.all + random + bytes {
      guard let key = try? ObjectKey(text) else { continue }
      let path = ValuePath(key).text
      #expect(keys.updateValue(key, forKey: path) ?? key == key)
      #expect(Self.key(of: path) == Bytes(key.text))
      #expect(path.utf8.count < 4096)
      for name in path.split(separator: "/", omittingEmptySubsequences: false) {
        #expect((1...255).contains(name.utf8.count))
        #expect(name != "." && name != "..")
        #expect(name.utf8.allSatisfy { (0x21...0x7e).contains($0) })
      }
    }
  }

  @Test("Names that no key has are not read as one")
  func foreignNames() {
    for name in [
      "", "a b", "a%2", "a%zz=", "%41", "%2e", "é", "a%", "==", "a=b", "%%", "%-%",
    ] {
      var piece: [UInt8] = []
      #expect(Self.decode(name, to: &piece) == nil, "\(name)")
    }
  }

  @Test("The directory of a prefix is where its keys lie, and never outside")
  func directories() {
    let cases = [
      "": "", "a": "", "a/": "a", "a/b": "a", "/": "%", "a//": "a/%", "../": "%2E%2E",
      "a/../b": "a/%2E%2E", "./": "%2E", "\0/": "%00",
    ]
    for (prefix, directory) in cases {
      #expect(ValuePath.directory(ofKeysWith: Array(prefix.utf8)[...]) == directory, "\(prefix)")
    }
  }

  private static func key(of path: String) -> Bytes? {
    var key: [UInt8] = []
    for name in path.split(separator: "/", omittingEmptySubsequences: false) {
      switch decode(String(name), to: &key) {
      case nil: return nil
      case .directory: key.append(UInt8(ascii: "/"))
      case .value, .continuation: break
      }
    }
    return Bytes(String(decoding: key, as: UTF8.self))
  }

  private static func decode(_ name: String, to piece: inout [UInt8]) -> FileName.Kind? {
    Array(name.utf8).withUnsafeBytes { FileName.decode($0, to: &piece) }
  }

  private static func randomBytes(using generator: inout SplitMix) -> String {
    var text = ""
    for _ in 0..<Int.random(in: 1...300, using: &generator) {
      let range: ClosedRange<UInt32> = Bool.random(using: &generator) ? 1...0x2ff : 0x2d...0x30
      Unicode.Scalar(UInt32.random(in: range, using: &generator)).map {
        text.unicodeScalars.append($0)
      }
    }
    return text
  }
}
