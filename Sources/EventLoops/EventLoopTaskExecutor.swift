package import NIOCore

/// Runs tasks on one event loop: what a connection's task does then happens where its connection
/// lives, without a change of thread for each read and write.
///
/// A task must not block on it. It ends with the process: what is enqueued after the event loop was
/// shut down never runs.
package final class EventLoopTaskExecutor: TaskExecutor {
  private let eventLoop: any EventLoop

  package init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    eventLoop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}

/// The executors of a group's event loops.
package struct EventLoopTaskExecutors: Sendable {
  private let executors: [ObjectIdentifier: EventLoopTaskExecutor]

  package init(_ group: any EventLoopGroup) {
    var executors: [ObjectIdentifier: EventLoopTaskExecutor] = [:]
    for eventLoop in group.makeIterator() {
      executors[ObjectIdentifier(eventLoop)] = EventLoopTaskExecutor(eventLoop)
    }
    self.executors = executors
  }

  /// Nil for an event loop of another group: its tasks then run wherever tasks run.
  package subscript(eventLoop: any EventLoop) -> EventLoopTaskExecutor? {
    executors[ObjectIdentifier(eventLoop)]
  }
}
