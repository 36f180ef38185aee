/// What is wrong with the text of an address.
enum EtcdAddressFault: Error {
  case empty
  case scheme
  case credentials
  case path
  case noHost
  case host
  case bareIPv6
  case brackets
  case port
  case repeated

  /// The fault as a sentence. `text` is the address itself, nil if it may hold a secret.
  func sentence(about subject: String, text: String?) -> String {
    let named = text.map { "\(subject) '\($0.prefix(100))'" } ?? subject
    return "\(named) \(reason)"
  }

  private var reason: String {
    switch self {
    case .empty: "is empty"
    case .scheme: "has another scheme than http:// or https://"
    case .credentials: "has credentials: they are options of their own, never part of an address"
    case .path: "has a path, a query or a fragment: write host:port or https://host:port"
    case .noHost: "has no host"
    case .host: "has a host that is no DNS name and no IP address"
    case .bareIPv6: "has more than one colon: write IPv6 addresses in brackets, [::1]:2379"
    case .brackets: "has brackets that do not hold an IPv6 address, as in [::1]:2379"
    case .port: "has a port that is not a number from 1 to 65535"
    case .repeated: "names a member that is already in the list"
    }
  }
}
