/// What is wrong with the text of an address.
enum RedisAddressFault: Error {
  case empty
  case scheme
  case credentialsWithoutScheme
  case pathWithoutScheme
  case queryOrFragment
  case noPassword
  case percentEncoding
  case noHost
  case host
  case bareIPv6
  case brackets
  case port
  case database
  case repeated

  /// The fault as a sentence. `text` is the address itself, nil if it may hold a secret.
  func sentence(about subject: String, text: String?) -> String {
    let named = text.map { "\(subject) '\($0.prefix(100))'" } ?? subject
    return "\(named) \(reason)"
  }

  private var reason: String {
    switch self {
    case .empty: "is empty"
    case .scheme: "has another scheme than redis:// or rediss://"
    case .credentialsWithoutScheme:
      "has credentials: they need a scheme, redis://user:password@host:port"
    case .pathWithoutScheme: "has a path: a database needs a scheme, redis://host:port/1"
    case .queryOrFragment:
      "has a query or a fragment (percent-encode '?' and '#' in a password as %3F and %23)"
    case .noPassword: "has a user but no password: write user:password@, or :password@"
    case .percentEncoding: "has a broken percent-encoding in its user or password"
    case .noHost: "has no host"
    case .host: "has a host that is no DNS name and no IP address"
    case .bareIPv6: "has more than one colon: write IPv6 addresses in brackets, [::1]:6379"
    case .brackets: "has brackets that do not hold an IPv6 address, as in [::1]:6379"
    case .port: "has a port that is not a number from 1 to 65535"
    case .database: "has a database that is not a number from 0 on"
    case .repeated: "names a server that is already in the list"
    }
  }
}
