extension CommandTable {
  /// Serves until a server has said what its commands are, and where it may not be asked.
  static let builtIn = CommandTable(
    special.map { entry($0, flags: []) }
      + blocking.map { entry($0, flags: ["blocking"]) }
      + reads.map { entry($0, flags: ["readonly"]) }
      + writes.map { entry($0, flags: []) } + foreign)

  private static let special = words(
    """
    multi exec discard watch unwatch auth hello client select reset quit subscribe psubscribe
    ssubscribe unsubscribe punsubscribe sunsubscribe monitor readonly readwrite asking xread
    xreadgroup wait waitaof sync psync replconf script
    """)

  /// Blocking whatever a server's table says of them.
  static let blocking = words(
    "blpop brpop brpoplpush blmove blmpop bzpopmin bzpopmax bzmpop")

  /// What a server takes for another protocol, listed or not.
  static let foreign = words("post host:").map { entry($0, flags: []) }

  private static let reads = words(
    """
    bitcount bitfield_ro bitpos dbsize dump eval_ro exists expiretime fcall_ro geodist geohash
    geopos georadius_ro georadiusbymember_ro geosearch get getbit getrange hexists hget hgetall
    hkeys hlen hmget hrandfield hstrlen hvals keys lcs lindex llen lolwut lpos lrange mget
    pexpiretime pfcount pttl randomkey scard sdiff sinter sintercard sismember smembers smismember
    sort_ro srandmember strlen substr sunion ttl type xlen xpending xrange xrevrange zcard zcount
    zdiff zinter zintercard zlexcount zmscore zrandmember zrange zrangebylex zrangebyscore zrank
    zrevrange zrevrangebylex zrevrangebyscore zrevrank zscore zunion scan sscan hscan zscan
    evalsha_ro touch object
    """)

  /// For the names alone: labels of metrics. Whatever is missing is treated the same.
  private static let writes = words(
    """
    append bitfield bitop copy decr decrby del echo eval evalsha expire expireat fcall flushall
    flushdb geoadd georadius georadiusbymember geosearchstore getdel getex getset hdel hincrby
    hincrbyfloat hmset hset hsetnx incr incrby incrbyfloat info linsert lmove lmpop lpop lpush
    lpushx lrem lset ltrim mset msetnx persist pexpire pexpireat pfadd pfmerge ping psetex publish
    rename renamenx restore role rpop rpoplpush rpush rpushx sadd sdiffstore set setbit
    setex setnx setrange sinterstore smove sort spop spublish srem sunionstore time unlink xack
    xadd xautoclaim xclaim xdel xgroup xinfo xsetid xtrim zadd zdiffstore zincrby zinterstore
    zmpop zpopmax zpopmin zrangestore zrem zremrangebylex zremrangebyrank zremrangebyscore
    zunionstore command config memory
    """)

  private static func words(_ text: String) -> [String] {
    text.split(whereSeparator: \.isWhitespace).map(String.init)
  }
}
