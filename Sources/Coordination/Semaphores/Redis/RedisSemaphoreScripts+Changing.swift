import RedisClient

extension RedisSemaphoreScripts {
  /// Buries what stale holders had. Also takes heartbeats that lie in the future, as a client with a
  /// wrong clock wrote them, for heartbeats of now: its holder is alive, but not for longer than
  /// others.
  private static let reclaiming = """
    local function reclaim(now, limit)
      local count = 0
      repeat
        local stale = redis.call(
          'ZRANGEBYSCORE', flight, '-inf', '(' .. number(now - limit), 'LIMIT', 0, 1000)
        if #stale > 0 then
          -- First what a server without memory refuses: then it does none of it, and nobody is
          -- taken for dead whose heartbeat it may have refused too.
          redis.call('HINCRBY', about, 'reclaimed', #stale)
          local buried = {}
          for place, token in ipairs(stale) do
            -- The longest silent first, also among those who are reclaimed at once.
            buried[#buried + 1] = number(-now - (count + place) / 1000000)
            buried[#buried + 1] = token
          end
          redis.call('ZREM', flight, unpack(stale))
          redis.call('HDEL', holders, unpack(stale))
          redis.call('ZADD', graves, unpack(buried))
        end
        count = count + #stale
      until #stale < 1000
      if count > 0 then
        redis.call('ZREMRANGEBYSCORE', graves, number(day - now), number(now - day))
        local excess = redis.call('ZCARD', graves) - 1000
        if excess > 0 then
          -- First those whose slot is taken again, then the others; of each the oldest.
          local untaken = redis.call('ZCOUNT', graves, '-inf', '(0')
          local taken = math.min(excess, redis.call('ZCARD', graves) - untaken)
          if taken > 0 then
            redis.call('ZREMRANGEBYRANK', graves, untaken, untaken + taken - 1)
          end
          if excess > taken then
            redis.call('ZREMRANGEBYRANK', graves, untaken - (excess - taken), untaken - 1)
          end
        end
        redis.call('EXPIRE', graves, day)
      end
      repeat
        local ahead = redis.call(
          'ZRANGEBYSCORE', flight, '(' .. number(now), '+inf', 'LIMIT', 0, 1000)
        for _, token in ipairs(ahead) do redis.call('ZADD', flight, number(now), token) end
      until #ahead < 1000
    end

    """

  /// ARGV: length, seconds after which a holder is stale, the start of a UUID that lacks 48 bits.
  /// Returns `counts`.
  static let settle = RedisScript(
    name: "settle",
    source: terms + counting + reclaiming + """
      local length, limit, now = tonumber(ARGV[1]), tonumber(ARGV[2]), clock()
      local free = redis.call('LLEN', queue)
      reclaim(now, limit)
      local target = math.max(0, length - redis.call('ZCARD', flight))
      if free > target then
        if target == 0 then
          redis.call('DEL', queue)
        else
          redis.call('LTRIM', queue, 0, target - 1)
        end
      end
      local serial = 0
      while free < target do
        local fresh = {}
        for place = 1, math.min(1000, target - free) do
          serial = serial + 1
          fresh[place] = ARGV[3] .. string.format('%012x', serial)
        end
        free = redis.call('RPUSH', queue, unpack(fresh))
      end
      -- Another implementation takes permits out of flight without their holders.
      if redis.call('HLEN', holders) > redis.call('ZCARD', flight) then
        for _, token in ipairs(redis.call('HKEYS', holders)) do
          if not redis.call('ZSCORE', flight, token) then redis.call('HDEL', holders, token) end
        end
      end
      if redis.call('HGET', about, 'length') ~= ARGV[1] then
        redis.call('HSET', about, 'length', ARGV[1])
      end
      keep()
      return counts(now, limit)
      """)

  /// ARGV: length, new token, how many seconds old its heartbeat is taken to be, holder.
  /// Returns 1, or 0 if no permit is free.
  static let pop = RedisScript(
    name: "pop",
    source: terms + """
      local length, busy = tonumber(ARGV[1]), redis.call('ZCARD', flight)
      if busy >= length or redis.call('LLEN', queue) == 0 then return 0 end
      local now = clock()
      -- First what a server without memory refuses.
      redis.call('ZADD', flight, number(now - tonumber(ARGV[3])), ARGV[2])
      redis.call('HSET', holders, ARGV[2], ARGV[4])
      redis.call('LPOP', queue)
      local untaken = redis.call('ZCOUNT', graves, '-inf', '(0')
      if untaken > 0 and busy + 1 + untaken > length then
        local oldest = redis.call('ZREVRANGEBYSCORE', graves, '(0', '-inf', 'LIMIT', 0, 1)
        redis.call('ZADD', graves, number(now), oldest[1])
        redis.call('EXPIRE', graves, day)
      end
      keep()
      return 1
      """)

  /// ARGV: token, Pod UID or '', holder.
  /// Returns {1}, or {0, over-length ms} if the permit is not this Pod's.
  static let heartbeat = RedisScript(
    name: "heartbeat",
    source: terms + ownership + """
      local now = clock()
      local score = redis.call('ZSCORE', flight, ARGV[1])
      if not score then return {0, mourn(ARGV[1], now)} end
      local isMine, text = mine(ARGV[1], ARGV[2])
      if not isMine then return {0, 0} end
      -- A script that has written something may go on on a server without memory: who lives may say
      -- so, and needs no more of it.
      redis.call('PEXPIRE', flight, 30 * day * 1000)
      if tonumber(score) < now then redis.call('ZADD', flight, number(now), ARGV[1]) end
      if text ~= ARGV[3] then redis.call('HSET', holders, ARGV[1], ARGV[3]) end
      keep()
      return {1}
      """)

  /// ARGV: token, Pod UID or '', a new placeholder. Not the token itself: whoever would get that
  /// from the queue could not be told from the one who had it.
  ///
  /// A Pod whose permit was reclaimed is back here too, if it ends before its next heartbeat.
  /// Returns 1, or 0 if there was nothing of ours.
  static let release = RedisScript(
    name: "release",
    source: terms + ownership + """
      if not redis.call('ZSCORE', flight, ARGV[1]) then
        if ARGV[2] ~= '' then mourn(ARGV[1], clock()) end
        return 0
      end
      if not mine(ARGV[1], ARGV[2]) then return 0 end
      local length = tonumber(redis.call('HGET', about, 'length') or '') or math.huge
      local free = redis.call('LLEN', queue)
      redis.call('ZREM', flight, ARGV[1])
      redis.call('HDEL', holders, ARGV[1])
      if free + redis.call('ZCARD', flight) < length then
        redis.call('RPUSH', queue, ARGV[3])
      end
      keep()
      return 1
      """)
}
