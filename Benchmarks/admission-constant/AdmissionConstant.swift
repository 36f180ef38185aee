import HTTPTypes
import HummingbirdCore
import HummingbirdTLS
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import ServiceLifecycle
import UnixSignals

/// The same HTTP stack as the webhook's, answering every POST with one constant: what admission
/// costs is the difference.
///
/// `admission-constant PORT CERTIFICATE_DIRECTORY`
@main
struct AdmissionConstant {
  static func main() async throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 3, let port = Int(arguments[1]) else {
      print("usage: admission-constant PORT CERTIFICATE_DIRECTORY")
      return
    }
    let directory = arguments[2]
    let tls = TLSConfiguration.makeServerConfiguration(
      certificateChain: try NIOSSLCertificate.fromPEMFile("\(directory)/tls.crt").map {
        .certificate($0)
      }, privateKey: .privateKey(try NIOSSLPrivateKey(file: "\(directory)/tls.key", format: .pem)))
    let answer = ByteBuffer(
      string: #"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","#
        + #""response":{"uid":"00000000-0000-0000-0000-000000000000","allowed":true}}"#)
    var logger = Logger(label: "constant")
    logger.logLevel = .warning
    let server = try HTTPServerBuilder.tls(.http1(), tlsConfiguration: tls).buildServer(
      configuration: ServerConfiguration(address: .hostname("127.0.0.1", port: port)),
      eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: logger
    ) { request, writer, _ in
      _ = try await request.body.collect(upTo: 8 << 20)
      let response = Response(
        status: .ok,
        headers: [
          .contentType: "application/json", .contentLength: String(answer.readableBytes),
        ], body: ResponseBody(byteBuffer: answer))
      try await writer.write(response: response.head, body: response.body)
    }
    try await ServiceGroup(
      services: [server], gracefulShutdownSignals: [.sigterm], logger: logger
    ).run()
  }
}
