import LocalServers
import Testing

/// The examples of the component's page do what it shows.
@Suite struct KeyValuePageTests {
  private struct Example {
    let command: String
    var output: [String] = []
  }

  /// The commands of all blocks of `console`, and what they print.
  private func examples() throws -> [Example] {
    let folder = #filePath.prefix(
      upTo: #filePath.firstRange(of: "/Tests/")?.lowerBound ?? #filePath.endIndex)
    var examples: [Example] = []
    var isInside = false
    for line in try textOfFile("\(folder)/cluster/applications/http-kvs/README.md").split(
      separator: "\n", omittingEmptySubsequences: false)
    {
      if line.hasPrefix("```") {
        isInside = line == "```console"
      } else if isInside, line.hasPrefix("$ ") {
        examples.append(Example(command: String(line.dropFirst(2))))
      } else if isInside, !examples.isEmpty {
        examples[examples.count - 1].output.append(String(line))
      }
    }
    return examples
  }

  /// Without what is different each time.
  private func normalized(_ text: String) -> String {
    text.replacing(#/[0-9a-f]{32}/#, with: "<tag>")
      .replacing(#/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/#, with: "<time>")
  }

  @Test func examplesPrintWhatThePageSays() async throws {
    let examples = try examples()
    #expect(examples.count > 15)
    try await withKeyValueServer { server, processes in
      // One shell, since some examples set variables.
      let script = examples.map { example in
        let command = example.command.replacing("127.0.0.1:8080", with: "127.0.0.1:\(server.port)")
        return "\(command.replacing("curl ", with: "curl -sS "))\necho\necho @@@"
      }.joined(separator: "\n")
      let shell = try await processes.start(
        LocalProcess.Command(name: "bash", executable: "bash", arguments: ["-c", script]))
      #expect(try await shell.waitForExit() == .exited(0))
      let outputs = shell.output.split(separator: "@@@", omittingEmptySubsequences: false)
      #expect(outputs.count == examples.count + 1)
      for (example, output) in zip(examples, outputs) {
        let lines = output.filter { !$0.isEmpty }
        #expect(
          normalized(lines.joined(separator: "\n"))
            == normalized(example.output.joined(separator: "\n")), "\(example.command)")
      }
    }
  }
}
