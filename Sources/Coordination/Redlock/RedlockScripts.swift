import RedisClient

/// What happens on one Redis server: each script is one atomic step.
///
/// Keys, always in this order as far as a script needs them: the lock, its fencing counter, the
/// record that a Pod's application was started. The value of a lock is a ``LockRecord``.
enum RedlockScripts {
  /// `mine(value, token, uid)`: whether a lock is this token's, unbound or bound to this Pod.
  private static let mine = """
    local function mine(value, token, uid)
      local t, u = string.match(value, '^(%S+) ?(%S*)')
      return t == token and (u == '' or u == '-' or u == uid)
    end

    """

  /// ARGV: value, TTL in ms, TTL of the counter in ms.
  /// Returns {1, counter}, or {0, value, TTL} of the lock that is there.
  static let acquire = RedisScript(
    name: "acquire",
    source: """
      local current = redis.call('GET', KEYS[1])
      if current then return {0, current, redis.call('PTTL', KEYS[1])} end
      local counter = redis.call('INCR', KEYS[2])
      redis.call('PEXPIRE', KEYS[2], ARGV[3])
      redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
      return {1, counter}
      """)

  /// ARGV: token, Pod UID, value, TTL in ms, TTL of counter and record in ms, fencing token or 0,
  /// token of the record or ''. With a token the record is written, as this server may have been
  /// away when the others got it; without one it only lives on where it is.
  /// Where the counter is behind the fencing token (the server came late to the lock), it is raised
  /// to it, so that fewer servers have to keep their data for the next one to be greater.
  /// Returns {1, counter}, {0} if the lock is free, or {0, value, TTL} if it is another's.
  static let extend = RedisScript(
    name: "extend",
    source: mine + """
      local current = redis.call('GET', KEYS[1])
      if not current then return {0} end
      if not mine(current, ARGV[1], ARGV[2]) then
        return {0, current, redis.call('PTTL', KEYS[1])}
      end
      if current == ARGV[3] then
        redis.call('PEXPIRE', KEYS[1], ARGV[4])
      else
        redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
      end
      local counter = tonumber(redis.call('GET', KEYS[2]) or '0') or 0
      if counter < tonumber(ARGV[6]) then
        redis.call('SET', KEYS[2], ARGV[6])
        counter = tonumber(ARGV[6])
      end
      redis.call('PEXPIRE', KEYS[2], ARGV[5])
      if ARGV[7] ~= '' then
        redis.call('SET', KEYS[3], ARGV[7], 'PX', ARGV[5])
      else
        redis.call('PEXPIRE', KEYS[3], ARGV[5])
      end
      return {1, counter}
      """)

  /// Raises the counter to ARGV[2] while the lock is ours. ARGV: token, counter, TTL of the
  /// counter in ms. Returns the counter afterwards, or -1 if the lock is not ours.
  static let raise = RedisScript(
    name: "raise",
    source: """
      local current = redis.call('GET', KEYS[1])
      if not current or string.match(current, '^%S+') ~= ARGV[1] then return -1 end
      local counter = tonumber(redis.call('GET', KEYS[2]) or '0') or 0
      if counter < tonumber(ARGV[2]) then
        redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
        counter = tonumber(ARGV[2])
      end
      return counter
      """)

  /// Puts a lock that a quorum holds onto a server that lost it, or that has a stale one instead.
  /// ARGV: value, TTL in ms, counter, TTL of counter and record in ms, token of the record or '',
  /// the stale token or ''. Returns 1, or 0 if any other lock is there: it is not touched.
  static let restore = RedisScript(
    name: "restore",
    source: """
      local current = redis.call('GET', KEYS[1])
      if current and (ARGV[6] == '' or string.match(current, '^%S+') ~= ARGV[6]) then return 0 end
      redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
      if (tonumber(redis.call('GET', KEYS[2]) or '0') or 0) < tonumber(ARGV[3]) then
        redis.call('SET', KEYS[2], ARGV[3])
      end
      redis.call('PEXPIRE', KEYS[2], ARGV[4])
      if ARGV[5] ~= '' then redis.call('SET', KEYS[3], ARGV[5], 'PX', ARGV[4]) end
      return 1
      """)

  /// ARGV: token, Pod UID, TTL of the record in ms. KEYS: lock, record. Returns 1, or 0 if the
  /// lock is not bound to this Pod under this token.
  static let recordOpened = RedisScript(
    name: "recordOpened",
    source: """
      local current = redis.call('GET', KEYS[1])
      if not current then return 0 end
      local token, uid = string.match(current, '^(%S+) ?(%S*)')
      if token ~= ARGV[1] or uid ~= ARGV[2] then return 0 end
      redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[3])
      return 1
      """)

  /// ARGV: token, Pod UID or ''. KEYS: lock, record. Returns 1, or 0 if there was nothing of ours.
  static let release = RedisScript(
    name: "release",
    source: mine + """
      local current = redis.call('GET', KEYS[1])
      if not current or not mine(current, ARGV[1], ARGV[2]) then return 0 end
      redis.call('DEL', KEYS[1])
      if ARGV[2] ~= '' then redis.call('DEL', KEYS[2]) end
      return 1
      """)

  /// Returns {value or '', TTL (-2 if there is no lock), counter, record or ''}; changes nothing.
  static let inspect = RedisScript(
    name: "inspect",
    source: """
      return {
        redis.call('GET', KEYS[1]) or '', redis.call('PTTL', KEYS[1]),
        tonumber(redis.call('GET', KEYS[2]) or '0') or 0, redis.call('GET', KEYS[3]) or ''
      }
      """)
}
