import ArgumentParser
import ServiceKit
import Testing

private struct Root: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "root", abstract: "A root.", version: "1.2.3", subcommands: [Serve.self])
}

private struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Serves.")

  @Option var port: String?
  @Option var ending: String?
  @OptionGroup var logging: LoggingOptions

  struct Odd: Error, CustomStringConvertible { let description = "odd\nthing" }

  func run() async throws {
    var reader = OptionReader(environment: [:])
    _ = reader.integer("port", flag: port, default: 1, in: 1...65535)
    _ = logging.resolve(&reader)
    try reader.finish()
    switch ending {
    case "fatal": throw FatalError("127.0.0.1:1 is in use: stop it", code: .addressInUse)
    case "exit": throw ExitWithCode(42)
    case "odd": throw Odd()
    default: return
    }
  }
}

@Suite struct CommandLineProgramTests {
  private func run(_ arguments: String...) async -> (code: Int32, output: String, errors: String) {
    var output = ""
    var errors = ""
    let code = await CommandLineProgram.run(
      Root.self, arguments: arguments, output: { output += $0 }, errors: { errors += $0 })
    return (code, output, errors)
  }

  @Test func successSaysNothing() async {
    #expect(await run("serve") == (0, "", ""))
  }

  @Test func everyWrongOptionIsOneLineAndCode64() async {
    #expect(
      await run("serve", "--port", "0", "--log-level", "loud") == (
        64, "",
        """
        error: --port: '0' is not allowed; allowed: a whole number from 1 to 65535
        error: --log-level: 'loud' is not allowed; allowed: trace, debug, info, notice, warning, \
        error, critical

        """
      ))
  }

  @Test(arguments: [
    ["serve", "--nonsense"], ["serve", "extra"], ["serve", "--port"], ["nonsense"],
  ])
  func theParsersOwnErrorsAreOneLineWithoutUsage(arguments: [String]) async {
    var errors = ""
    let code = await CommandLineProgram.run(
      Root.self, arguments: arguments, output: { _ in Issue.record("output") },
      errors: { errors += $0 })
    #expect(code == 64)
    #expect(errors.hasPrefix("error: ") && errors.split(separator: "\n").count == 1)
    #expect(errors.contains(arguments.last ?? "") && !errors.contains("USAGE"))
  }

  @Test(arguments: [["--help"], ["serve", "--help"], ["help", "serve"]])
  func helpGoesToOutput(arguments: [String]) async {
    var output = ""
    let code = await CommandLineProgram.run(
      Root.self, arguments: arguments, output: { output += $0 },
      errors: { _ in Issue.record("error") })
    #expect(code == 0 && output.contains("USAGE: root"))
    #expect(output.contains("--port") == arguments.contains("serve"))
  }

  @Test func theVersionGoesToOutput() async {
    #expect(await run("--version") == (0, "1.2.3\n", ""))
    #expect(await run("serve", "--version") == (0, "1.2.3\n", ""))
  }

  @Test func fatalErrorsAreOneLineAndCode1() async {
    #expect(
      await run("serve", "--ending", "fatal") == (1, "", "error: 127.0.0.1:1 is in use: stop it\n"))
    #expect(await run("serve", "--ending", "odd") == (1, "", "error: odd thing\n"))
  }

  @Test func aChosenExitCodePasses() async {
    #expect(await run("serve", "--ending", "exit") == (42, "", ""))
  }
}
