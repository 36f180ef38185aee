package import ArgumentParser
import Glibc

/// Runs a command and turns how it ended into an exit code and lines on standard error.
///
/// | ended with | exit code | standard error |
/// | --- | --- | --- |
/// | nothing thrown, `--help`, `--version` | 0 | – |
/// | wrong arguments, ``UsageError`` | 64 | one line for each fault |
/// | ``ExitWithCode`` | its code | – |
/// | ``FatalError`` or any other error | 1 | `error: …`, one line |
package enum CommandLineProgram {
  /// Runs the command that the arguments name, then exits.
  package static func main(_ root: any ParsableCommand.Type) async -> Never {
    let code = await run(root, arguments: Array(CommandLine.arguments.dropFirst()))
    fflush(nil)
    exit(code)
  }

  /// Runs the command that the arguments name and returns the exit code.
  ///
  /// - Parameters:
  ///   - arguments: without the program's name.
  ///   - output: takes what belongs on standard output, with its newline.
  ///   - errors: takes what belongs on standard error, with its newline.
  package static func run(
    _ root: any ParsableCommand.Type, arguments: [String],
    output: (String) -> Void = { StandardStream.write($0, to: STDOUT_FILENO) },
    errors: (String) -> Void = { StandardStream.write($0, to: STDERR_FILENO) }
  ) async -> Int32 {
    do {
      var command = try await parse(root, arguments)
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
      return 0
    } catch let error as ExitWithCode {
      return error.code
    } catch let error as UsageError {
      for fault in error.faults { errors("error: \(fault)\n") }
      return ExitCode.validationFailure.rawValue
    } catch let error as FatalError {
      errors("error: \(OneLine.text(of: error.message, limit: 4000))\n")
      return 1
    } catch {
      return report(error, of: root, output: output, errors: errors)
    }
  }

  private static func parse(
    _ root: any ParsableCommand.Type, _ arguments: [String]
  ) async throws -> any ParsableCommand {
    if let asynchronous = root as? any AsyncParsableCommand.Type {
      return try await asynchronous.asyncParseAsRoot(arguments)
    }
    return try root.parseAsRoot(arguments)
  }

  /// Handles what the argument parser throws, and errors that nobody turned into words.
  private static func report(
    _ error: any Error, of root: any ParsableCommand.Type,
    output: (String) -> Void, errors: (String) -> Void
  ) -> Int32 {
    let code = root.exitCode(for: error)
    let message = root.message(for: error)
    if code == .success {
      if !message.isEmpty { output(message + "\n") }
    } else if !message.isEmpty {
      errors("error: \(OneLine.text(of: message, limit: 4000))\n")
    }
    return code.rawValue
  }
}

/// Writes to a file descriptor without a buffer.
enum StandardStream {
  static func write(_ text: String, to descriptor: Int32) {
    var text = text
    text.withUTF8 { Descriptor.writeAll(UnsafeRawBufferPointer($0), to: descriptor) }
  }
}
