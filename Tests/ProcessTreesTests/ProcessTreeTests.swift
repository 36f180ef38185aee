import Glibc
import LocalServers
import ProcessTrees
import Testing

@Suite struct ProcessTreeTests {
  /// Starts a shell whose processes belong to a tree.
  private func start(
    _ script: String, _ tree: ProcessTree, _ processes: LocalProcesses
  ) async throws -> LocalProcess {
    try await processes.start(
      LocalProcess.Command(
        name: "tree", executable: "sh", arguments: ["-c", script],
        environment: [ProcessTree.variable: tree.mark]))
  }

  private func newTree() -> ProcessTree {
    ProcessTree(mark: "test-\(getpid())-\(UInt64.random(in: 0 ... .max))")
  }

  @Test func processesThatGotAwayAreFoundAndKilled() async throws {
    try await withLocalProcesses { processes in
      let tree = newTree()
      #expect(tree.members().isEmpty)
      // A child; one in a session of its own; one whose parent has ended; the shell itself.
      let shell = try await start(
        "sleep 600 & setsid sleep 600 & (setsid sleep 600 &); echo ready; wait", tree, processes)
      try await withDeadline(.seconds(30), "it is ready") {
        try await shell.line(containing: "ready")
      }
      try await eventually { tree.members().count == 4 }
      let stranger = try await start("echo ready; sleep 600", newTree(), processes)
      try await stranger.line(containing: "ready")
      #expect(await tree.kill(within: .seconds(30)) == [])
      #expect(tree.members().isEmpty)
      #expect(try await shell.waitForExit() == .signalled(SIGKILL))
      // Others of the same program are left alone.
      #expect(stranger.exitStatus == nil)
    }
  }

  @Test func aTreeThatGrowsWhileItIsKilledIsGoneAllTheSame() async throws {
    try await withLocalProcesses { processes in
      let tree = newTree()
      let shell = try await start(
        "grow() { while :; do setsid sleep 600 & sleep 0.01; done; }; grow & echo ready; grow",
        tree, processes)
      try await shell.line(containing: "ready")
      try await eventually { tree.members().count > 20 }
      #expect(await tree.kill(within: .seconds(60)) == [])
      #expect(tree.members().isEmpty)
    }
  }

  @Test func aBranchBelongsToItsTreeAndNotToTheOthers() async throws {
    try await withLocalProcesses { processes in
      let tree = newTree()
      let like = ProcessTree(mark: tree.mark + "0")
      for branch in [tree.branch("a"), tree.branch("b"), like] {
        let shell = try await start("echo ready; sleep 600", branch, processes)
        try await shell.line(containing: "ready")
      }
      try await eventually { tree.members().count >= 4 && like.members().count >= 2 }
      let all = tree.members().count
      #expect(await tree.branch("a").kill(within: .seconds(30)) == [])
      #expect(tree.members().count == all / 2)
      #expect(await tree.kill(within: .seconds(30)) == [])
      #expect(tree.members().isEmpty && !like.members().isEmpty)
      #expect(await like.kill(within: .seconds(30)) == [])
    }
  }

  private func eventually(_ holds: () -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(30)
    while !holds() {
      guard .now < deadline else { throw LocalServersError(.deadline, "it did not come to hold") }
      try await Task.sleep(for: .milliseconds(20))
    }
  }
}
