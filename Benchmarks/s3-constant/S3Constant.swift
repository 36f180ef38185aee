import NIOCore
import NIOHTTP1
import NIOPosix

/// Stands in for S3 in benchmarks, as fast as a socket can be read and written. It keeps nothing and
/// checks nothing.
///
/// `s3-constant PORT [small|large]`: `small` answers every request without a body with the same
/// object of 1 KiB; `large` has objects of 1 GiB and takes uploads, in parts too.
@main
struct S3Constant {
  static func main() async throws {
    let arguments = CommandLine.arguments.dropFirst()
    let kind = arguments.count > 1 ? arguments.last : "small"
    guard let port = arguments.first.flatMap({ Int($0) }), ["small", "large"].contains(kind) else {
      print("usage: s3-constant PORT [small|large]")
      return
    }
    let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup(numberOfThreads: 1))
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let pipeline = channel.pipeline.syncOperations
          if kind == "small" { return try pipeline.addHandler(SmallObjects()) }
          try pipeline.configureHTTPServerPipeline()
          try pipeline.addHandler(LargeObjects())
        }
      }
      .bind(host: "127.0.0.1", port: port).get()
    print("ready")
    try await server.closeFuture.get()
  }
}
