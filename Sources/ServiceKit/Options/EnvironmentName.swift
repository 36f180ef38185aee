/// The environment variable that is the twin of an option.
package enum EnvironmentName {
  /// Upper case with underscores: `redis-addresses` and `redisAddresses` are `REDIS_ADDRESSES`.
  ///
  /// - Parameter option: the name without its leading dashes.
  package static func twin(of option: String) -> String {
    var result = ""
    let characters = Array(option)
    for (index, character) in characters.enumerated() {
      if character == "-" || character == "." {
        result.append("_")
        continue
      }
      if index > 0, character.isUppercase {
        let previous = characters[index - 1]
        let startsWord =
          index + 1 < characters.count && characters[index + 1].isLowercase && previous.isUppercase
        if previous.isLowercase || previous.isNumber || startsWord { result.append("_") }
      }
      result.append(contentsOf: character.uppercased())
    }
    return result
  }
}
