import Crypto
import Synchronization

/// What signs the requests of one day to one service of one region.
struct SigningKey: Sendable {
  let key: SymmetricKey
  /// `20150830/us-east-1/s3/aws4_request`.
  let scope: String

  init(secret: String, date: String, region: String, service: String) {
    func code(_ text: String, _ key: SymmetricKey) -> SymmetricKey {
      SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key))
    }
    let secretKey = SymmetricKey(data: Array("AWS4\(secret)".utf8))
    key = code("aws4_request", code(service, code(region, code(date, secretKey))))
    scope = "\(date)/\(region)/\(service)/aws4_request"
  }
}

/// Keeps the signing key of the day: it takes four times as long to make as a signature.
final class SigningKeyCache: Sendable {
  private struct Entry {
    let secret: String
    let date: String
    let key: SigningKey
  }

  private let region: String
  private let service: String
  private let entry = Mutex<Entry?>(nil)

  init(region: String, service: String) {
    self.region = region
    self.service = service
  }

  func key(secret: String, time: UTCTime) -> SigningKey {
    let date = time.basicDate
    return entry.withLock { entry in
      if let entry, entry.date == date, entry.secret == secret { return entry.key }
      let key = SigningKey(secret: secret, date: date, region: region, service: service)
      entry = Entry(secret: secret, date: date, key: key)
      return key
    }
  }
}
