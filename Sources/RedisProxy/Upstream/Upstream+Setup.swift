import NIOCore
import RESP

/// The first words on a new connection.
extension Upstream {
  func start() {
    guard !hasStarted else { return }
    hasStarted = true
    perform(setup.begin())
  }

  private func perform(_ action: UpstreamSetup.Action) {
    guard let context else { return }
    switch action {
    case .send(let command):
      var buffer = context.channel.allocator.buffer(capacity: command.encodedLength)
      command.write(into: &buffer)
      context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    case .ready(let greeting):
      self.greeting = greeting
      state = .open
      let whenReady = self.whenReady
      self.whenReady = nil
      whenReady?(.success(self))
    case .refused(let error):
      let whenReady = self.whenReady
      self.whenReady = nil
      whenReady?(.failure(.refused(error)))
      context.close(promise: nil)
    }
  }

  func receiveSetup(_ buffer: ByteBuffer) {
    parser.append(buffer)
    do throws(RESPError) {
      while state == .settingUp, whenReady != nil, let reply = try parser.next() {
        perform(setup.receive(reply))
      }
    } catch {
      let context = self.context
      end(.unreachable("what answers is no Redis server"))
      context?.close(promise: nil)
    }
  }
}
