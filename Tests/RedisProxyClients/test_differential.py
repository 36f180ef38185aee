"""The same random commands straight to Redis and through the proxy give the same replies."""

import os
import random
import threading
import unittest

from servers import Proxy, Raw, Redis, Stack, until

SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1 << 32)
ROUNDS = int(os.environ.get("ROUNDS", "300"))


class Script:
    """What several clients do: (client, commands in one write, whether a transaction is open)."""

    def __init__(self, seed, clients=4, rounds=ROUNDS):
        self.random = random.Random(seed)
        self.steps = []
        self.inside = [False] * clients
        self.version = [2] * clients
        self.subscribed = [False] * clients
        for _ in range(rounds):
            client = self.random.randrange(clients)
            self.step(client)

    def key(self):
        return f"k{self.random.randrange(12)}"

    def value(self):
        size = self.random.choice([0, 1, 5, 5, 5, 40, 3000, 3000, 70_000, 300_000]) \
            if self.random.random() < 0.3 else 6
        return bytes([self.random.choice(b"abc\r\n\x00$*")] * size)

    def plain(self):
        r, key, value = self.random, self.key(), self.value()
        number = r.randrange(-5, 20)
        return r.choice([
            ("SET", key, value), ("SET", key, number), ("GET", key), ("get", key), ("GeT", key),
            ("INCR", key), ("APPEND", key, value), ("STRLEN", key), ("DEL", key), ("EXISTS", key),
            ("TYPE", key), ("MGET", key, self.key(), "nothing"), ("GETRANGE", key, 0, 10),
            ("RPUSH", "l" + key, value, number), ("LPUSH", "l" + key, number),
            ("LRANGE", "l" + key, 0, -1), ("LLEN", "l" + key), ("LPOP", "l" + key),
            ("HSET", "h" + key, number, number), ("HGETALL", "h" + key), ("HGET", "h" + key, number),
            ("HLEN", "h" + key), ("ZADD", "z" + key, number, number),
            ("ZRANGE", "z" + key, 0, -1, "WITHSCORES"), ("ZSCORE", "z" + key, number),
            ("ZRANGEBYSCORE", "z" + key, "-inf", 5), ("SADD", "s" + key, number),
            ("SCARD", "s" + key), ("SISMEMBER", "s" + key, number), ("GETSET", key, number),
            ("LRANGE", "nothing", 0, -1), ("HGETALL", "nothing"), ("SMEMBERS", "nothing"),
            ("PING",), ("PING", value), ("ECHO", value), ("TTL", "nothing"), ("PERSIST", key),
            ("GETEX", key, "EX", 1000), ("SORT", "l" + key, "ALPHA", "STORE", "lsorted"),
            ("SORT", "l" + key, "ALPHA"), ("LRANGE", "lsorted", 0, -1), ("GETDEL", key),
            ("EVAL", "return redis.call('incr', KEYS[1])", 1, "n" + key),
            ("EVAL", "return {1, 'two', {3, {ok = 'four'}}, false}", 0),
            ("EVAL_RO", "return redis.call('get', KEYS[1])", 1, key),
            ("EVALSHA", "0" * 40, 0), ("XADD", "x" + key, "*" if False else "0-0", "a", "b"),
            ("XLEN", "x" + key), ("XRANGE", "x" + key, "-", "+"), ("XREAD", "STREAMS", "x" + key, "0"),
            ("XREAD", "COUNT", 2, "BLOCK", 1, "STREAMS", "x" + key, "$"),
            ("BLPOP", "l" + key, "0.01"), ("BLPOP", "nothing", "0.01"), ("BLMOVE", "l" + key, "l" + self.key(), "LEFT", "RIGHT", "0.01"),
            ("SCAN", 0, "MATCH", "nothing*", "COUNT", 1000), ("DBSIZE",), ("SETBIT", key, 7, 1),
            ("BITCOUNT", key), ("GETBIT", key, 7), ("RENAME", key, self.key()), ("COPY", key, self.key()),
            ("OBJECT", "ENCODING", key), ("DUMP", "n" + key), ("PFADD", "p" + key, number),
            ("PFCOUNT", "p" + key), ("GEOADD", "g" + key, 13, 38, "there"), ("GEOPOS", "g" + key, "there"),
            ("LOLWUT", "VERSION", 99), ("COMMAND", "COUNT"), ("COMMAND", "GETKEYS", "GET", key),
            # What fails.
            ("GET",), ("SET", key), ("NOSUCH", "a", "b"), ("INCR", "l" + key), ("LPUSH", key, 1),
            ("EXEC",), ("DISCARD",), ("UNWATCH",), ("SETEX", key, -1, value), ("XADD", "x" + key, "0-0", "a", "b"),
            ("SELECT", "x"), ("SELECT", 99), ("SELECT", -1), ("SELECT",), ("CLIENT",), ("CLIENT", "NOSUCH"),
            ("CLIENT", "SETNAME", "with space"), ("CLIENT", "REPLY"), ("CLIENT", "REPLY", "x"),
            ("CLIENT", "SETINFO", "lib-name", "x"), ("WATCH",), ("MULTI", "x"), ("AUTH",), ("AUTH", "wrong"),
            ("AUTH", "a", "b"), ("AUTH", "a", "b", "c"), ("HELLO", "x"), ("HELLO", 4), ("HELLO", 3, "NOSUCH"),
            ("CLIENT", "TRACKING", "OFF"), ("CLIENT", "CACHING", "YES"), ("CLIENT", "GETREDIR"),
            ("CLIENT", "NO-EVICT", "x"), ("CLIENT", "UNPAUSE"), ("FLUSHALL", "x"), ("WAIT", "x", 0), ("RESET", "x") if False else ("PING",),
        ])

    def step(self, client):
        r = self.random
        kind = r.random()
        if self.subscribed[client]:
            if kind < 0.5:
                commands = [("SUBSCRIBE", "c1"), ("PING",), ("UNSUBSCRIBE", "c2"), ("PSUBSCRIBE", "c*")]
                return self.add(client, r.choices(commands, k=r.randrange(1, 4)))
            self.subscribed[client] = False
            self.inside[client] = False
            self.version[client] = 2
            return self.add(client, [("RESET",)])
        if self.inside[client]:
            if kind < 0.5:
                return self.add(client, [self.plain() for _ in range(r.randrange(1, 5))])
            if kind < 0.6:
                return self.add(client, [("SELECT", r.randrange(3)), ("GET", self.key())])
            self.inside[client] = False
            return self.add(client, [r.choice([("EXEC",), ("EXEC",), ("DISCARD",)]), self.plain()])
        if kind < 0.5:
            return self.add(client, [self.plain() for _ in range(r.choice([1, 1, 2, 5, 20, 60]))])
        if kind < 0.62:
            body = [self.plain() for _ in range(r.randrange(4))]
            body = [c for c in body if c[0] not in ("WATCH", "AUTH", "HELLO", "CLIENT", "SELECT")]
            end = r.choice([("EXEC",), ("EXEC",), ("DISCARD",)])
            front = [("WATCH", self.key())] if r.random() < 0.3 else []
            before = [self.plain()] if r.random() < 0.5 else []
            return self.add(client, before + front + [("MULTI",), *body, end, self.plain()])
        if kind < 0.67:
            self.inside[client] = True
            return self.add(client, [("MULTI",)] + [("GET", self.key())] * r.randrange(3))
        if kind < 0.72:
            return self.add(client, [r.choice([("EXEC",), ("DISCARD",)]), self.plain()])
        if kind < 0.76:
            return self.add(client, [("WATCH", self.key()), self.plain(), ("UNWATCH",), self.plain()])
        if kind < 0.80:
            return self.add(client, [("SELECT", r.randrange(4)), self.plain(), self.plain()])
        if kind < 0.84:
            return self.add(client, [("HELLO", r.choice([2, 3]))] + [self.plain() for _ in range(3)])
        if kind < 0.87:
            return self.add(client, [("CLIENT", "SETNAME", f"n{r.randrange(5)}"), ("CLIENT", "GETNAME"), self.plain()])
        if kind < 0.90:
            return self.add(client, [("RESET",), self.plain()])
        if kind < 0.94:
            line = r.choice([b"PING\r\n", b"\r\n", b'SET "k1" "a b"\r\n', b"GET k1\n", b"*0\r\n", b"*-1\r\n",
                             b"ECHO 'it''s'\r\n" if False else b"ECHO 'its'\r\n", b"   GET   k2  \r\n", b"EXISTS \"\\x6b1\"\r\n"])
            return self.add(client, [self.plain(), line, self.plain()])
        if kind < 0.97:
            return self.add(client, [
                ("CLIENT", "REPLY", "SKIP"), ("SET", self.key(), 1), ("CLIENT", "REPLY", "OFF"),
                ("SET", self.key(), 2), ("CLIENT", "REPLY", "ON"), self.plain()])
        if self.random.random() < 0.5:
            self.subscribed[client] = True
            return self.add(client, [("SUBSCRIBE", "c1", "c2"), ("PING", "x")])
        return self.add(client, [("PUBLISH", "nobody", "hello")])

    def add(self, client, commands):
        self.steps.append((client, commands, self.inside[client]))


def perform(script, port, settle, clients=4):
    """All that each client gets for each step; a marker command shows where a step's replies end."""
    connections = [Raw(port) for _ in range(clients)]
    outcome = []
    for number, (client, commands, is_inside) in enumerate(script.steps):
        raw = connections[client]
        mark = b"mark%d" % number
        data = b"".join(c if isinstance(c, bytes) else Raw.encode(*c) for c in commands)
        raw.socket.sendall(data + Raw.encode("PING", mark))
        replies = []
        while not replies or not is_mark(replies[-1], mark):
            replies.append(raw.reply())
            if is_inside and len(replies) == len(commands) + 1:
                break
        outcome.append(replies)
        settle()
    for raw in connections:
        raw.socket.close()
    return outcome


def is_mark(reply, mark):
    return mark in reply and not reply.startswith(b"-") and len(reply) < 80


def normal(reply):
    """Without what differs by nature."""
    if b"proto" in reply and b"server" in reply:
        head, tail = reply.split(b"$2\r\nid\r\n:", 1)
        return head + tail.split(b"\r\n", 1)[1]
    return reply


class Differential(unittest.TestCase):
    maxDiff = None

    def compare(self, seed, *arguments, split):
        script = Script(seed)
        with Stack() as stack:
            plain = stack.start(Redis())
            direct = perform(script, plain.port, lambda: None)
            primary, replicas = stack.replicated()
            readers = ",".join(f"127.0.0.1:{replica.port}" for replica in replicas)
            proxy = stack.start(Proxy(primary, *arguments, reader=split and readers))
            settle = (lambda: primary("WAIT", 2, 5000)) if split else (lambda: None)
            if split:
                until(lambda: proxy.metrics()['tcp_connections{peer="replica"}'] >= 2, "both")
            through = perform(script, proxy.port, settle)
            for (client, commands, _), one, other in zip(script.steps, direct, through):
                one, other = [normal(r) for r in one], [normal(r) for r in other]
                if one != other:
                    at = next((i for i, (a, b) in enumerate(zip(one, other)) if a != b),
                              min(len(one), len(other)))
                    self.fail(
                        f"seed {seed}, client {client}\ncommands: {[str(c)[:80] for c in commands]}"
                        f"\nreply {at}\ndirect: {[r[:120] for r in one[at:at + 2]]}"
                        f"\nproxy:  {[r[:120] for r in other[at:at + 2]]}")
            self.assertEqual(plain("DEBUG", "DIGEST"), primary("DEBUG", "DIGEST"), f"seed {seed}")

    def test_without_splitting(self):
        for seed in range(SEED, SEED + 3):
            with self.subTest(seed=seed):
                self.compare(seed, split=False)

    def test_with_several_event_loops(self):
        self.compare(SEED, "--threads", "2", split=False)

    def test_with_reads_from_replicas(self):
        for seed in range(SEED, SEED + 3):
            with self.subTest(seed=seed):
                self.compare(seed, "--read-your-writes", "10s", split=True)

    def test_order_across_primary_and_replicas(self):
        """Reads of what nobody changes, among writes, from many clients at once: every reply is
        known, and both replicas and the primary have answered."""
        with Stack() as stack:
            primary, replicas = stack.replicated()
            for number in range(50):
                primary("SET", f"fixed{number}", b"%d" % number * (1 + number * 40))
            self.assertEqual(primary("WAIT", 2, 10_000), b":2\r\n")
            readers = ",".join(f"127.0.0.1:{replica.port}" for replica in replicas)
            proxy = stack.start(Proxy(primary, reader=readers))
            until(lambda: proxy.metrics()['tcp_connections{peer="replica"}'] >= 2, "both")
            failures = []
            threads = [
                threading.Thread(target=self.mixed, args=(proxy.port, SEED + n, n, failures))
                for n in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(120)
            self.assertEqual(failures, [], f"seed {SEED}")
            for server in replicas:
                self.assertGreater(calls(server, "get"), 200)
            self.assertGreater(calls(primary, "incr"), 200)

    def mixed(self, port, seed, number, failures):
        r = random.Random(seed)
        try:
            count = 0
            with Raw(port, timeout=60) as raw:
                for _ in range(60):
                    data, expected = [], []
                    for _ in range(r.choice([1, 2, 10, 40])):
                        kind = r.random()
                        if kind < 0.6:
                            key = r.randrange(50)
                            value = b"%d" % key * (1 + key * 40)
                            data.append(Raw.encode("GET", f"fixed{key}"))
                            expected.append(b"$%d\r\n%s\r\n" % (len(value), value))
                        elif kind < 0.9:
                            count += 1
                            data.append(Raw.encode("INCR", f"own{number}"))
                            expected.append(b":%d\r\n" % count)
                        elif kind < 0.95:
                            data.append(Raw.encode("BLPOP", "empty", "0.001"))
                            expected.append(b"*-1\r\n")
                        else:
                            count += 1
                            data += [Raw.encode("MULTI"), Raw.encode("INCR", f"own{number}"),
                                     Raw.encode("EXEC")]
                            expected += [b"+OK\r\n", b"+QUEUED\r\n", b"*1\r\n:%d\r\n" % count]
                    raw.socket.sendall(b"".join(data))
                    for reply in expected:
                        got = raw.reply()
                        if got != reply:
                            failures.append((number, reply[:60], got[:60]))
                            return
        except Exception as error:  # The thread's end is not the test's.
            failures.append((number, repr(error)))


def calls(server, command):
    stats = server("INFO", "commandstats").decode()
    return sum(int(line.split("calls=")[1].split(",")[0]) for line in stats.splitlines()
               if line.startswith(f"cmdstat_{command}:"))


if __name__ == "__main__":
    unittest.main()
