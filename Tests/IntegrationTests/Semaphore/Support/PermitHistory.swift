/// The life of one semaphore, from what its Redis server wrote down: who had which permit, when.
struct PermitHistory: Sendable {
  /// One permit from being taken to its end. Times are the server's, in seconds since 1970.
  struct Tenure: Sendable {
    /// The Pod that it was bound to, if it ever was.
    var podUID: String?
    let from: Double
    /// The last sign of life that the server took; at first that of the taking.
    var lastHeartbeat: Double
    /// Nil: in flight. For one that was given back, the first time after that which the server
    /// wrote down.
    var until: Double?
    var isReclaimed = false
  }

  enum Standing: Sendable {
    case holds
    /// Its permit was taken from it, because it was silent.
    case reclaimed
    /// Has no permit, and none was taken from it.
    case none
  }

  private let queueKey: String
  private let flightKey: String
  private let holderKey: String
  private let graveKey: String

  private(set) var tenures: [String: Tenure] = [:]
  private var flight: Set<String> = []
  private var free = 0
  /// Left flight; when is not written yet.
  private var leaving: [String] = []
  private var isInTransaction = false
  /// The most permits that ever were in flight, and in flight or free, after any atomic step.
  private(set) var peakInFlight = 0
  private(set) var peak = 0

  /// - Parameter key: `<namespace>/<key>`.
  init(of key: String, prefix: String, in commands: [[String]]) {
    queueKey = "\(prefix)queue/\(key)"
    flightKey = "\(prefix)heartbeat/\(key)"
    holderKey = "\(prefix)holder/\(key)"
    graveKey = "\(prefix)reclaimed/\(key)"
    for command in commands {
      apply(command)
      if !isInTransaction {
        peakInFlight = max(peakInFlight, flight.count)
        peak = max(peak, flight.count + free)
      }
    }
  }

  /// The Pods that have a permit at the end.
  var holders: [String?] { flight.map { tenures[$0]?.podUID } }

  /// Permits that were taken from their holders, because they were silent.
  var reclaimed: [Tenure] { tenures.values.filter(\.isReclaimed) }

  /// Those of them whose last heartbeat the server took less than `threshold` seconds before. There
  /// may be none, for as long as the server keeps its data.
  func reclaimedAlive(threshold: Double) -> [Tenure] {
    // Written times are rounded to microseconds.
    reclaimed.filter { ($0.until ?? 0) - $0.lastHeartbeat < threshold - 0.001 }
  }

  private mutating func apply(_ command: [String]) {
    let name = command.first?.uppercased() ?? ""
    if name == "MULTI" { isInTransaction = true }
    if name == "EXEC" { isInTransaction = false }
    guard command.count > 1 else { return }
    let values = command.dropFirst(2)
    switch (name, command[1]) {
    case ("RPUSH", queueKey): free += values.count
    case ("LPOP", queueKey): free -= 1
    case ("LTRIM", queueKey): free = min(free, (Int(command[3]) ?? 0) + 1)
    case ("DEL", queueKey), ("UNLINK", queueKey): free = 0
    case ("ZADD", flightKey): beat(command[3], at: Double(command[2]) ?? 0)
    case ("ZREM", flightKey):
      for token in values where flight.remove(token) != nil { leaving.append(token) }
    case ("ZADD", graveKey): bury(Array(values))
    case ("HSET", holderKey):
      for place in stride(from: 2, to: command.count - 1, by: 2) {
        let uid = command[place + 1].prefix { $0 != " " }
        if uid != "-" { tenures[command[place]]?.podUID = String(uid) }
      }
    default: break
    }
  }

  private mutating func beat(_ token: String, at time: Double) {
    tick(time)
    if flight.insert(token).inserted {
      tenures[token] = Tenure(from: time, lastHeartbeat: time)
    } else {
      tenures[token]?.lastHeartbeat = time
    }
  }

  /// Scores and tokens: the negated time of the reclaiming, or when another took the slot.
  private mutating func bury(_ graves: [String]) {
    var time = 0.0
    for place in stride(from: 0, to: graves.count - 1, by: 2) {
      let (score, token) = (Double(graves[place]) ?? 0, graves[place + 1])
      time = abs(score)
      guard score < 0, let index = leaving.firstIndex(of: token) else { continue }
      leaving.remove(at: index)
      tenures[token]?.until = time
      tenures[token]?.isReclaimed = true
    }
    tick(time)
  }

  /// A time that the server wrote: what was given back before has ended by then.
  private mutating func tick(_ time: Double) {
    for token in leaving { tenures[token]?.until = time }
    leaving = []
  }

  /// How a Pod stood at a moment. Times of two clocks are equal if they are within `tolerance`.
  func standing(of podUID: String, at time: Double, tolerance: Double = 0.02) -> Standing {
    let own = tenures.values.filter { $0.podUID == podUID && $0.from <= time + tolerance }
    if own.contains(where: { $0.until.map { $0 >= time - tolerance } ?? true }) { return .holds }
    let last = own.max { $0.from < $1.from }
    return last?.isReclaimed == true ? .reclaimed : .none
  }
}
