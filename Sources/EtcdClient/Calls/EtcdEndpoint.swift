import EventLoops
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import GRPCProtobuf
import Logging
import NIOCore
import SwiftProtobuf
import Synchronization

/// One member of the cluster: its connection, and whether it is well.
final class EtcdEndpoint: Sendable {
  typealias Transport = HTTP2ClientTransport.Posix

  private struct State {
    var material: TransportMaterial?
    var transport: Result<Transport, EtcdError>
    /// When the member failed last; nil while it is well.
    var failedAt: NIODeadline?
    var isEnded = false
  }

  let address: EtcdAddress
  let name: String
  private let configuration: EtcdConfiguration
  private let eventLoop: any EventLoop
  /// Where all work for this connection is done, without a change of thread.
  private let executor: EventLoopTaskExecutor
  private let deadlines: CallDeadlines
  private let logger: Logger
  private let state: Mutex<State>
  /// Wakes the probing; one failure is as good as many.
  private let failures: (stream: AsyncStream<Void>, continuation: AsyncStream<Void>.Continuation)

  init(
    _ address: EtcdAddress, _ configuration: EtcdConfiguration, on eventLoop: any EventLoop,
    deadlines: CallDeadlines, logger: Logger
  ) {
    self.address = address
    self.configuration = configuration
    self.eventLoop = eventLoop
    executor = EventLoopTaskExecutor(eventLoop)
    self.deadlines = deadlines
    name = address.description
    var logger = logger
    logger[metadataKey: "etcd.member"] = "\(address)"
    self.logger = logger
    failures = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    var state = State(material: nil, transport: .failure(EtcdError(.configuration, "")))
    Self.renew(&state, configuration, address, eventLoop)
    self.state = Mutex(state)
  }

  /// When the member failed last; nil while it is well.
  var failedAt: NIODeadline? { state.withLock { $0.failedAt } }

  func noteSuccess() {
    let wasFailing = state.withLock { state in
      defer { state.failedAt = nil }
      return state.failedAt != nil
    }
    if wasFailing { logger.info("Member of etcd is well again") }
  }

  func noteFailure(_ reason: String) {
    let now = NIODeadline.now()
    let isNew = state.withLock { state in
      defer { state.failedAt = now }
      return state.failedAt == nil
    }
    if isNew { logger.warning("Member of etcd failed", metadata: ["reason": "\(reason)"]) }
    failures.continuation.yield()
  }

  // MARK: The connection's life

  /// Keeps the connection, and probes the member while it fails, until the task is cancelled.
  func run() async {
    await withDiscardingTaskGroup { group in
      if let transport = try? state.withLock({ $0.transport }).get() {
        group.addTask(executorPreference: executor) { try? await transport.connect() }
      } else {
        failures.continuation.yield()
      }
      for await _ in failures.stream {
        repeat {
          // Ends early only by cancellation, after which the stream ends too.
          try? await Task.sleep(for: configuration.probeInterval)
          if Task.isCancelled { break }
          if let transport = renewTransport() {
            group.addTask(executorPreference: executor) { try? await transport.connect() }
          }
          await probe()
        } while failedAt != nil
      }
      group.cancelAll()
    }
    state.withLock { state in
      state.isEnded = true
      state.transport = .failure(EtcdError(.unavailable, "the client has ended"))
    }
  }

  /// Makes a new transport if the files have changed, or if there is none yet.
  private func renewTransport() -> Transport? {
    let (old, new) = state.withLock { state in
      let old = try? state.transport.get()
      return Self.renew(&state, configuration, address, eventLoop)
        ? (old, try? state.transport.get()) : (nil, nil)
    }
    old?.beginGracefulShutdown()
    if old != nil { logger.info("TLS files have changed: connecting anew") }
    return new
  }

  /// - Returns: whether there is something new.
  @discardableResult
  private static func renew(
    _ state: inout State, _ configuration: EtcdConfiguration, _ address: EtcdAddress,
    _ eventLoop: any EventLoop
  ) -> Bool {
    do throws(EtcdError) {
      let material = try TransportMaterial(configuration, for: address)
      if material == state.material, case .success = state.transport { return false }
      let transport = try material.transport(configuration, to: address, on: eventLoop)
      state.material = material
      state.transport = .success(transport)
      return true
    } catch {
      // Files that are just being replaced do not end a connection that there is.
      if case .failure = state.transport {
        state.transport = .failure(error)
        state.failedAt = .now()
      }
      return false
    }
  }

  /// Asks the member whether it serves and has a leader.
  private func probe() async {
    let answer: Result<Etcdserverpb_StatusResponse, AttemptFailure> = await exchange(
      Etcdserverpb_Maintenance.Method.Status.descriptor, Etcdserverpb_StatusRequest(),
      metadata: EtcdClient.metadata(token: nil),
      deadline: .now() + TimeAmount(configuration.attemptTimeout))
    switch answer {
    case .success(let status): if status.leader != 0 { noteSuccess() }
    case .failure(let failure):
      // It does answer, only not this question.
      if case .final = failure.kind { noteSuccess() }
    }
  }

  // MARK: Calls

  /// Sends one request and waits for its one answer, until the deadline or cancellation.
  func exchange<Request: Message, Answer: Message>(
    _ method: MethodDescriptor, _ request: Request, metadata: Metadata, deadline: NIODeadline
  ) async -> Result<Answer, AttemptFailure> {
    let transport: Transport
    switch state.withLock({ $0.transport }) {
    case .success(let current): transport = current
    case .failure(let error):
      return .failure(AttemptFailure(.passing, error.message, mayHaveRun: false))
    }
    let limit = configuration.maximumMessageBytes
    // A task of its own, so that there is something to cancel when its time is up. It does not
    // outlive this function, which waits for it.
    let task = Task(executorPreference: executor) {
      await Self.exchange(
        method, request, metadata: metadata, over: transport, limit: limit, as: Answer.self)
    }
    let entry = deadlines.add(deadline) { task.cancel() }
    let result = await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      task.cancel()
    }
    deadlines.remove(entry)
    guard case .failure(let failure) = result, task.isCancelled else { return result }
    return .failure(
      Task.isCancelled
        ? AttemptFailure(.cancelled, "given up", mayHaveRun: failure.mayHaveRun)
        : AttemptFailure(
          .timedOut, failure.mayHaveRun ? "no answer in time" : "no connection in time",
          mayHaveRun: failure.mayHaveRun))
  }

  private static func exchange<Request: Message, Answer: Message>(
    _ method: MethodDescriptor, _ request: Request, metadata: Metadata, over transport: Transport,
    limit: Int, as answer: Answer.Type
  ) async -> Result<Answer, AttemptFailure> {
    var options = CallOptions.defaults
    options.waitForReady = false
    options.maxRequestMessageBytes = limit
    options.maxResponseMessageBytes = limit
    var wasSent = false
    do {
      let bytes: Transport.Bytes = try ProtobufSerializer<Request>().serialize(request)
      return try await transport.withStream(descriptor: method, options: options) {
        stream, _ -> Result<Answer, AttemptFailure> in
        wasSent = true
        try await stream.outbound.write(contentsOf: [.metadata(metadata), .message(bytes)])
        await stream.outbound.finish()
        var answer: Answer?
        for try await part in stream.inbound {
          switch part {
          case .metadata: break
          case .message(let bytes):
            do {
              answer = try ProtobufDeserializer<Answer>().deserialize(bytes)
            } catch {
              return .failure(
                AttemptFailure(
                  .final(.malformedAnswer), "\(method.method): the answer cannot be read",
                  mayHaveRun: true))
            }
          case .status(let status, _):
            guard status.code == .ok else {
              return .failure(
                AttemptFailure(code: status.code, message: status.message, wasSent: true))
            }
            guard let answer else {
              return .failure(
                AttemptFailure(
                  .final(.malformedAnswer), "\(method.method): success without an answer",
                  mayHaveRun: true))
            }
            return .success(answer)
          }
        }
        return .failure(AttemptFailure(.passing, "the answer broke off", mayHaveRun: true))
      }
    } catch let error as RPCError {
      return .failure(
        AttemptFailure(
          code: Status.Code(error.code), message: error.message, cause: error.cause,
          wasSent: wasSent))
    } catch {
      return .failure(AttemptFailure(.passing, "\(error)", mayHaveRun: wasSent))
    }
  }

  /// Opens a stream, sends one request on it and hands every answer to `handle`, until that says
  /// false. No deadline: keepalive ends the stream of a member that went away.
  func stream<Request: Message, Answer: Message>(
    _ method: MethodDescriptor, _ request: Request, metadata: Metadata, as answer: Answer.Type,
    handle: @escaping @Sendable (Answer) async throws -> Bool
  ) async throws -> AttemptFailure? {
    let transport: Transport
    switch state.withLock({ $0.transport }) {
    case .success(let current): transport = current
    case .failure(let error): return AttemptFailure(.passing, error.message, mayHaveRun: false)
    }
    var options = CallOptions.defaults
    options.waitForReady = false
    options.maxRequestMessageBytes = configuration.maximumMessageBytes
    options.maxResponseMessageBytes = configuration.maximumMessageBytes
    let bytes: Transport.Bytes = try ProtobufSerializer<Request>().serialize(request)
    let handlerError = Mutex<(any Error)?>(nil)
    do {
      return try await transport.withStream(descriptor: method, options: options) {
        stream, _ -> AttemptFailure? in
        try await stream.outbound.write(contentsOf: [.metadata(metadata), .message(bytes)])
        for try await part in stream.inbound {
          switch part {
          case .metadata: break
          case .message(let bytes):
            let answer = try ProtobufDeserializer<Answer>().deserialize(bytes)
            do {
              guard try await handle(answer) else { return nil }
            } catch {
              handlerError.withLock { $0 = error }
              throw error
            }
          case .status(let status, _):
            return AttemptFailure(
              code: status.code == .ok ? .unavailable : status.code,
              message: status.message.isEmpty ? "the stream ended" : status.message, wasSent: true)
          }
        }
        return AttemptFailure(.passing, "the stream broke off", mayHaveRun: true)
      }
    } catch {
      if let error = handlerError.withLock({ $0 }) { throw error }
      if Task.isCancelled { throw CancellationError() }
      guard let error = error as? RPCError else {
        return AttemptFailure(.passing, "\(error)", mayHaveRun: true)
      }
      return AttemptFailure(
        code: Status.Code(error.code), message: error.message, cause: error.cause, wasSent: true)
    }
  }
}
