import Glibc

/// Asks a Redis server one question in its inline form: enough to see whether it is there, without
/// the client that other tests are about.
enum InlineConnection {
  /// - Returns: the first line of the answer; nil when there is none in time.
  static func ask(_ port: Int, _ command: String, milliseconds: Int = 10_000) -> String? {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var limit = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
    setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    guard connect(descriptor, to: port) else { return nil }
    let question = Array("\(command)\r\n".utf8)
    guard send(descriptor, question, question.count, Int32(MSG_NOSIGNAL)) > 0 else {
      return nil
    }
    var answer: [UInt8] = []
    while !answer.contains(UInt8(ascii: "\r")) {
      var byte: UInt8 = 0
      guard recv(descriptor, &byte, 1, 0) == 1 else { return nil }
      answer.append(byte)
    }
    return String(decoding: answer.dropLast(), as: UTF8.self)
  }

  private static func connect(_ descriptor: Int32, to port: Int) -> Bool {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        Glibc.connect(descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }
}
