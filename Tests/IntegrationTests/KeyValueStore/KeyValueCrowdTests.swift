import AsyncHTTPClient
import Glibc
import LocalServers
import NIOCore
import NIOPosix
import NIOHTTP1
import Testing

/// Clients that are many, slow, or both.
@Suite(.serialized) struct KeyValueCrowdTests {
  /// Connections of this process; raises its limit of open files first.
  private func connect(_ count: Int, to port: Int) throws -> [Int32] {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    return try (0..<count).map { _ in
      let descriptor = socket(
        AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
      let result = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
          Glibc.connect(descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      guard descriptor >= 0, result == 0 else {
        throw LocalServersError(.system, "connection: \(String(cString: strerror(errno)))")
      }
      return descriptor
    }
  }

  @Test func tenThousandIdleConnectionsCostLittle() async throws {
    try await withKeyValueServer { server, _ in
      _ = try await server.send(.PUT, "/v", "x")
      let before = try server.memory("VmRSS")
      let descriptors = try connect(10_000, to: server.port)
      defer { for descriptor in descriptors { close(descriptor) } }
      try await eventually("all are open") {
        try await server.metrics().sum("kvs_connections") >= 10_000 ? true : nil
      }
      #expect(try await server.send(.GET, "/v").text == "x")
      let each = (try server.memory("VmRSS") - before) * 1024 / 10_000
      #expect(each < 24, "KiB of each connection")
    }
  }

  @Test func aFullServerMakesRoomForNewClients() async throws {
    try await withKeyValueServer("--max-connections", "64") { server, _ in
      let descriptors = try connect(500, to: server.port)
      defer { for descriptor in descriptors { close(descriptor) } }
      for _ in 0..<5 {
        // Who comes before the others have made room is sent away.
        try await eventually("there is room") {
          (try? await server.send(.PUT, "/v", "x"))?.status == 200 ? true : nil
        }
      }
      #expect(try await server.metrics().sum("kvs_connections") <= 65)
    }
  }

  @Test func whoSaysNothingOrTooLittleIsLetGo() async throws {
    try await withKeyValueServer("--idle-timeout", "300ms") { server, _ in
      try await PlainConnection.with(port: server.port) { connection in
        _ = try await connection.textToTheEnd()
      }
      let stalled = try await PlainConnection.with(port: server.port) { connection in
        try await connection.write("PUT /v HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhello")
        return try await connection.textToTheEnd()
      }
      #expect(stalled.hasPrefix("HTTP/1.1 408 "))
      #expect(try await server.send(.GET, "/v").status == 404)
      // A body that moves on may take as long as it likes.
      let slow = try await PlainConnection.with(port: server.port) { connection in
        try await connection.write("PUT /v HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n")
        for digit in 0..<10 {
          try await Task.sleep(for: .milliseconds(50))
          try await connection.write("\(digit)")
        }
        return try await connection.text(containing: "OK")
      }
      #expect(slow.hasPrefix("HTTP/1.1 200 "))
      #expect(try await server.send(.GET, "/v").text == "0123456789")
    }
  }

  /// Clients that read a byte now and then of a large value: they cost buffers, not values.
  @Test func slowReadersCostABufferEach() async throws {
    try await withKeyValueServer { server, processes in
      let size = 256 << 20
      try await upload(size, to: "/large", of: server, processes)
      let before = try server.memory("VmRSS")
      let descriptors = try connect(16, to: server.port)
      defer { for descriptor in descriptors { close(descriptor) } }
      for descriptor in descriptors {
        let request = "GET /large HTTP/1.1\r\nhost: x\r\n\r\n"
        #expect(send(descriptor, request, request.utf8.count, 0) == request.utf8.count)
      }
      for _ in 0..<3 {
        try await Task.sleep(for: .seconds(1))
        var byte = UInt8(0)
        for descriptor in descriptors { #expect(recv(descriptor, &byte, 1, 0) == 1) }
      }
      let growth = try server.memory("VmRSS") - before
      #expect(growth < 24, "MiB")
      #expect(try await server.metrics().sum("kvs_requests_in_flight") == 16)
      #expect(try await server.send(.GET, "/healthz").status == 200)
    }
  }

  @Test func eightGigabytesGoInAndOutInLittleMemory() async throws {
    try await withKeyValueServer { server, processes in
      let size = 1 << 30
      try await upload(size, to: "/0", of: server, processes)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 1...8 {
          group.addTask { try await upload(size, to: "/\(number)", of: server, processes) }
          group.addTask {
            let process = try await processes.start(
              LocalProcess.Command(
                name: "download", executable: "curl",
                arguments: [
                  "-sSf", "-o", "/dev/null", "-w", "%{size_download}\n", server.url + "/0",
                ]))
            #expect(try await process.waitForExit() == .exited(0))
            #expect(process.output.last == "\(size)")
          }
        }
        try await group.waitForAll()
      }
      #expect(try server.memory("VmHWM") < 64, "MiB")
    }
  }

  /// Sends zeros, from a file that takes no room.
  private func upload(
    _ size: Int, to path: String, of server: KeyValueServer, _ processes: LocalProcesses
  ) async throws {
    let file = try processes.newDirectory("upload") + "/zeros"
    let descriptor = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
    try #require(descriptor >= 0 && ftruncate(descriptor, size) == 0)
    close(descriptor)
    let process = try await processes.start(
      LocalProcess.Command(
        name: "upload", executable: "curl", arguments: ["-sSf", "-T", file, server.url + path]))
    #expect(try await process.waitForExit() == .exited(0), "\(process.output)")
  }
}
