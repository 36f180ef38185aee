/// What requests are signed with. Secret: descriptions and mirrors never show it.
package struct AWSCredentials: Sendable, Hashable {
  package var accessKeyID: String
  package var secretAccessKey: String
  /// Sent along with each request where the keys are temporary.
  package var sessionToken: String?
  /// In seconds since 1970. Nil: they stay.
  package var expires: Int64?

  package init(
    accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil,
    expires: Int64? = nil
  ) {
    self.accessKeyID = accessKeyID
    self.secretAccessKey = secretAccessKey
    self.sessionToken = sessionToken
    self.expires = expires
  }
}

extension AWSCredentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { "(redacted)" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// One place where credentials may be.
package protocol AWSCredentialSource: Sendable {
  /// For messages: `environment`, say.
  var name: String { get }

  /// Fetches them anew. The call ends within seconds.
  ///
  /// - Returns: nil if nothing says that they are here.
  /// - Throws: if they should be here, and cannot be had: the next place is not asked then, since a
  ///   service that quietly works under another name surprises everybody.
  func fetch() async throws(AWSCredentialError) -> AWSCredentials?
}

/// Why there are no credentials.
package struct AWSCredentialError: Error, Sendable, CustomStringConvertible {
  /// Where they were looked for, and what to do, without secrets.
  package let message: String
  package let cause: (any Error)?

  package init(_ message: String, cause: (any Error)? = nil) {
    self.message = message
    self.cause = cause
  }

  package var description: String { cause.map { "\(message): \($0)" } ?? message }
}

/// Credentials that are known from the start.
package struct StaticCredentials: AWSCredentialSource {
  package let name = "settings"
  private let credentials: AWSCredentials

  package init(_ credentials: AWSCredentials) { self.credentials = credentials }

  package func fetch() async throws(AWSCredentialError) -> AWSCredentials? { credentials }
}
