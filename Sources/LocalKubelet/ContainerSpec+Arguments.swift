import LocalServers

extension ContainerSpec {
  /// Replaces `$(NAME)` by the container's variables and `$$` by `$`, as the kubelet does;
  /// references to unknown names stay as they are.
  static func expand(_ text: String, _ environment: [String: String]) -> String {
    var expanded = ""
    var rest = Substring(text)
    while let dollar = rest.firstIndex(of: "$") {
      expanded += rest[..<dollar]
      rest = rest[rest.index(after: dollar)...]
      if rest.first == "$" {
        expanded += "$"
        rest = rest.dropFirst()
      } else if rest.first == "(", let end = rest.firstIndex(of: ")"),
        let value = environment[String(rest[rest.index(after: rest.startIndex)..<end])]
      {
        expanded += value
        rest = rest[rest.index(after: end)...]
      } else {
        expanded += "$"
      }
    }
    return expanded + rest
  }

  /// Moves the probe server to a port of its own, as all Pods here share one network namespace:
  /// the address after `--probe-address` and the startup probe change alike.
  ///
  /// - Returns: the port in the Pod and the one here; nil if the container listens on no TCP port
  ///   (`unix:@name`).
  mutating func moveProbe() throws -> (from: Int, to: Int)? {
    let flag = "--probe-address"
    var address = ":65531"
    var place = arguments.endIndex
    for (index, argument) in arguments.enumerated() {
      if argument == flag, index + 1 < arguments.count {
        address = arguments[index + 1]
        place = index
        arguments.removeSubrange(index...index + 1)
        break
      } else if argument.hasPrefix("\(flag)=") {
        address = String(argument.dropFirst(flag.count + 1))
        place = index
        arguments.remove(at: index)
        break
      }
    }
    guard !address.hasPrefix("unix:"), let old = Int(address.split(separator: ":").last ?? "")
    else {
      arguments.insert(contentsOf: [flag, address], at: place)
      return nil
    }
    let new = try FreePort.next()
    arguments.insert(contentsOf: [flag, "127.0.0.1:\(new)"], at: place)
    startupProbe = startupProbe?.moved(from: old, to: new)
    return (old, new)
  }
}
