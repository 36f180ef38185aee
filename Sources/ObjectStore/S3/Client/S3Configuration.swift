/// Which bucket, as whom, and how patiently.
package struct S3Configuration: Sendable {
  package var bucket: String
  /// `http://host:port` or `https://host`, where it is not AWS.
  package var endpoint: String?
  /// Nil: of the environment (`AWS_REGION`, `AWS_DEFAULT_REGION`) or the profile, else `us-east-1`.
  package var region: String?
  /// Whether the bucket is named in the path and not in the host. Nil: with an endpoint of one's own,
  /// and where a certificate does not cover the bucket's name.
  package var usesPathStyle: Bool?
  /// PEM: who may sign the endpoint's certificate; nil for the system's authorities, or
  /// `AWS_CA_BUNDLE`.
  package var authorityFile: String?
  /// Nil: as AWS's SDKs find them, see ``CredentialChain``.
  package var credentials: (any AWSCredentialSource)?
  package var environment = AWSEnvironment.process

  /// Bytes of values on their way up that are kept in memory, by all writes together: what is sent
  /// can be sent again. Further writes wait. The first 64 KiB of each do not count: they belong to
  /// its connection.
  package var partMemory = 64 << 20
  /// How long a write waits for memory before it is refused as one too many.
  package var memoryTimeout = Duration.seconds(30)
  /// A value that fits goes up by one request, a longer one in parts of this size. At least 5 MiB,
  /// which S3 asks for, and at most ``partMemory``.
  package var partBytes = 8 << 20
  /// The most parts of one value that are on their way at the same time.
  package var partsAtOnce = 4

  package var retries = S3RetryPolicy()
  /// The most connections of each event loop.
  package var maximumConnections = 128
  package var connectTimeout = Duration.seconds(3)
  /// From the end of a request until the head of its answer. Completing a value of many parts may
  /// take S3 longer: see ``completionTimeout``.
  package var answerTimeout = Duration.seconds(15)
  package var completionTimeout = Duration.seconds(120)
  /// How long a body, either way, may stand still while this side is ready for more.
  package var bodyIdleTimeout = Duration.seconds(15)
  /// How long the reader of a value may stop before its connection goes to others that wait for one;
  /// the rest is asked for again when it reads on.
  package var pauseLimit = Duration.seconds(5)
  /// How often in a row the body of one read may break off, with next to nothing of it in between,
  /// and be asked for again from there.
  package var maximumResumes = 8

  /// How long the background search for expired values pauses after each round; nil: none. A round
  /// lists the bucket and asks for the head of every object, since lists have no metadata: 1 request
  /// for each thousand objects and 1 for each object. A lifecycle rule of the bucket costs nothing
  /// where all values may go after the same number of days.
  package var sweepInterval: Duration? = .seconds(3600)
  /// How many seconds after its end a value is removed: who writes it again usually does so soon.
  package var sweepDelay: Int64 = 300
  /// The most heads a second that a round asks for.
  package var sweepRate = 20

  package init(bucket: String) { self.bucket = bucket }
}
