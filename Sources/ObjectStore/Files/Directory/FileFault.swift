import Glibc

/// What the operating system answered.
struct FileFault: Error, Hashable {
  let code: CInt

  var isMissing: Bool { code == ENOENT || code == ENOTDIR || code == ENAMETOOLONG }

  /// - Parameter attempt: what was tried, as in "cannot read a value".
  func error(_ attempt: String, mayHaveRun: Bool = false) -> ObjectStoreError {
    let reason = String(cString: strerror(code))
    let (kind, advice): (ObjectStoreError.Kind, String) =
      switch code {
      case ENOSPC, EDQUOT, EFBIG: (.full, "make room")
      case EACCES, EPERM, EROFS: (.denied, "let this user read and write the directory")
      case EMFILE, ENFILE, ENOMEM: (.busy, "too many files are open at once")
      default: (.unavailable, "look at the disk")
      }
    return ObjectStoreError(
      kind, "\(attempt): \(reason); \(advice)", mayHaveRun: mayHaveRun, cause: self)
  }
}

/// - Throws: ``FileFault`` with `errno` when the call returns -1.
@discardableResult
func retryingInterrupts<Number: SignedInteger>(
  _ call: () -> Number
) throws(FileFault) -> Number {
  while true {
    let result = call()
    if result != -1 { return result }
    let code = errno
    if code != EINTR { throw FileFault(code: code) }
  }
}

/// Says what was tried when a call of the operating system fails.
///
/// - Parameter attempt: as in "cannot read a value".
func explaining<Value>(
  _ attempt: String, mayHaveRun: Bool = false, _ call: () throws(FileFault) -> Value
) throws(ObjectStoreError) -> Value {
  do throws(FileFault) {
    return try call()
  } catch {
    throw error.error(attempt, mayHaveRun: mayHaveRun)
  }
}
