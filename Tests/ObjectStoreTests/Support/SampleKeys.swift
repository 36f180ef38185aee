/// Keys that stores have got wrong.
enum SampleKeys {
  static let all: [String] = [
    "a", "a/", "a//", "a//b", "a/b", "a/b/c", "a-b", "a.b", "a b", "a+b", "a%2Fb", "a%", "%", "=",
    "a=", "a=/b", "a%3D", "/", "//", "/a", "///x", " ", " a ", "+", "?", "a?b=c&d", "#", "a#b",
    "[x]", "{x}", "<x>", "a\\b", "\\", "\"quoted\"", "'", "`", "~", "~root", "a*b", "a|b", "a:b",
    "a;b", "$HOME", "&amp;", "é", "e\u{301}", "日本語/キー", "🗝", "\u{1}", "\n", "a\r\nb", "\t",
    "\u{7f}", "\u{feff}x", "...", ".a", "..a", "a..", "a/.../b", ".hidden/.x", "-", "--help", "A",
    "CON", "null", "healthz", "%-", "%+", "a%-", "a%+/b", "lost+found", "values",
    String(repeating: "x", count: 247), String(repeating: "x", count: 248),
    String(repeating: "x", count: 249), String(repeating: "x", count: 255),
    String(repeating: "x", count: 248) + ".", String(repeating: "x", count: 248) + "..",
    String(repeating: "x", count: 248) + "./b", String(repeating: "x", count: 248) + "/b",
    String(repeating: "x", count: 248) + "-b", String(repeating: "x", count: 248) + " b",
    String(repeating: "x", count: 248) + "b", String(repeating: "x", count: 248) + "%+",
    String(repeating: "x", count: 1024), String(repeating: " ", count: 1024),
    String(repeating: "é", count: 512), String(repeating: "/", count: 1024),
    String(repeating: "a/", count: 512), String(repeating: "日", count: 341),
  ]

  /// A key of a random length that is built of what is dangerous.
  static func random(using generator: inout some RandomNumberGenerator) -> String {
    let pieces = [
      "a", "b", "/", "/", "-", ".", "=", "%", " ", "é", "0", "~", "%+", "x=", "日",
      String(repeating: "y", count: 100), String(repeating: "%", count: 83), "z",
    ]
    let count = Int.random(in: 1...12, using: &generator)
    var key = ""
    for _ in 0..<count { key += pieces.randomElement(using: &generator) ?? "a" }
    return key
  }
}
