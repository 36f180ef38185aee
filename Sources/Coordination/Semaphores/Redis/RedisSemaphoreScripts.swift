import RedisClient

/// What happens on the queue Redis: each script is one atomic step, and costs the same for any
/// length while there is nothing to reclaim, fill or trim. The time is always the server's.
///
/// KEYS of all scripts: the queue (list), the permits in flight (sorted set: Unix time in seconds of
/// the last heartbeat), their holders (hash: ``Holder/text``), what is known about the semaphore
/// (hash), and the tombstones of reclaimed permits (sorted set: when another took the slot, or,
/// while nobody has, when it was reclaimed, negated).
///
/// We write heartbeats with microseconds. Sorted sets compare numbers, so whoever writes and reads
/// whole seconds is not disturbed; a fraction that was cut off would make a holder up to a second
/// older than it is, and the order of holders accidental.
enum RedisSemaphoreScripts {
  /// Shared by all scripts.
  ///
  /// - `clock()`: seconds since 1970, and `number(seconds)` its text; Lua's own would round.
  /// - `keep()`: what nobody uses any more goes away by itself. An idle queue only says `length`,
  ///   so it may go after a day; with permits in flight all stays for a month after the last use.
  ///   Sets a time only where it is off by a tenth, so that most calls write nothing.
  static let terms = """
    local queue, flight, holders, about, graves = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
    local day = 86400
    local function clock()
      local time = redis.call('TIME')
      return tonumber(time[1]) + tonumber(time[2]) / 1000000
    end
    local function number(seconds) return string.format('%.6f', seconds) end
    local function keep()
      local life = day * 1000
      if redis.call('EXISTS', flight) == 1 then life = 30 * life end
      for _, key in ipairs({queue, flight, holders, about}) do
        local left = redis.call('PTTL', key)
        if left ~= -2 and (left > life or left < life * 0.9) then
          redis.call('PEXPIRE', key, life)
        end
      end
    end

    """

  /// `mine(token, uid)`: whether a permit in flight is unbound or bound to this Pod, and what is
  /// written of its holder. Another implementation writes nothing: that is unbound.
  ///
  /// `mourn(token, now)`: a reclaimed holder is back. Forgets its tombstone, counts, and returns for
  /// how many milliseconds another had its slot.
  static let ownership = """
    local function mine(token, uid)
      local text = redis.call('HGET', holders, token)
      if not text then return true, nil end
      local bound = string.match(text, '^%S*')
      return bound == '' or bound == '-' or bound == uid, text
    end
    local function mourn(token, now)
      local grave = redis.call('ZSCORE', graves, token)
      if not grave then return 0 end
      local over = 0
      if tonumber(grave) > 0 then over = math.max(0, math.floor((now - grave) * 1000)) end
      redis.call('ZREM', graves, token)
      redis.call('HINCRBY', about, 'lost', 1)
      redis.call('HINCRBY', about, 'over-length-ms', over)
      keep()
      return over
    end

    """

  /// `counts(now, limit)`: {length, reclaimed, lost, over-length ms, queue, in flight, stale,
  /// oldest permit or nil, its silence in µs, its holder or nil}.
  static let counting = """
    local function counts(now, limit)
      local known = redis.call('HMGET', about, 'length', 'reclaimed', 'lost', 'over-length-ms')
      local oldest = redis.call('ZRANGE', flight, 0, 0, 'WITHSCORES')
      local silence, holder = 0, false
      if oldest[1] then
        silence = math.floor(math.max(0, now - oldest[2]) * 1000000)
        holder = redis.call('HGET', holders, oldest[1])
      end
      return {
        known[1], known[2], known[3], known[4], redis.call('LLEN', queue),
        redis.call('ZCARD', flight),
        redis.call('ZCOUNT', flight, '-inf', '(' .. number(now - limit)),
        oldest[1] or false, silence, holder
      }
    end

    """

  /// ARGV: seconds after which a holder is stale. Returns `counts`; changes nothing.
  static let counts = RedisScript(
    name: "counts", source: terms + counting + "return counts(clock(), tonumber(ARGV[1]))")

  /// ARGV: token. Returns {silence in µs, holder or nil}, or nil if it is not in flight.
  static let permit = RedisScript(
    name: "permit",
    source: terms + """
      local score = redis.call('ZSCORE', flight, ARGV[1])
      if not score then return false end
      return {
        math.floor(math.max(0, clock() - score) * 1000000), redis.call('HGET', holders, ARGV[1])
      }
      """)

  /// One page of permits, by their last heartbeat. ARGV: the first one's score, how many with that
  /// score are known already, how many at most.
  /// Returns {{token, score, …}, {holder or nil, …}, now}.
  static let permits = RedisScript(
    name: "permits",
    source: terms + """
      local page = redis.call(
        'ZRANGEBYSCORE', flight, ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', ARGV[2], ARGV[3])
      local tokens = {}
      for place = 1, #page, 2 do tokens[#tokens + 1] = page[place] end
      local texts = {}
      if #tokens > 0 then texts = redis.call('HMGET', holders, unpack(tokens)) end
      return {page, texts, number(clock())}
      """)
}
