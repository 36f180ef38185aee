"""Servers that stop, die, change roles or are cut off: errors and waits, never a wrong effect."""

import ctypes
import signal
import socket
import struct
import threading
import time
import unittest

from servers import Lost, Proxy, Raw, Redis, Stack, free_port, until


class Counting(threading.Thread):
    """A client that increments a counter, and counts what it was told."""

    def __init__(self, port, key="counter"):
        super().__init__(daemon=True)
        self.port, self.key = port, key
        self.acknowledged = self.unknown = self.refused = 0
        self.answers = []
        self.going = True
        self.start()

    def run(self):
        raw = None
        while self.going:
            try:
                raw = raw or Raw(self.port, timeout=30)
                reply = raw("INCR", self.key)
            except (Lost, OSError):
                self.unknown += 1
                raw = None
                continue
            if reply.startswith(b":"):
                self.acknowledged += 1
                self.answers.append(int(reply[1:-2]))
            elif b"may have been executed" in reply:
                self.unknown += 1
            else:
                self.refused += 1
                time.sleep(0.01)

    def finish(self):
        self.going = False
        self.join(60)


class Faults(unittest.TestCase):
    def setUp(self):
        self.stack = Stack()
        self.addCleanup(self.stack.close)

    def check(self, counters, redis):
        for counter in counters:
            counter.finish()
        acknowledged = sum(c.acknowledged for c in counters)
        unknown = sum(c.unknown for c in counters)
        value = int(redis("GET", "counter").split(b"\r\n")[1])
        self.assertGreaterEqual(value, acknowledged)
        self.assertLessEqual(value, acknowledged + unknown)
        seen = [n for c in counters for n in c.answers]
        self.assertEqual(len(seen), len(set(seen)), "an effect was acknowledged twice")

    def test_the_primary_is_paused(self):
        redis = self.stack.start(Redis())
        proxy = self.stack.start(Proxy(redis))
        counters = [Counting(proxy.port) for _ in range(8)]
        for _ in range(3):
            until(lambda: all(c.acknowledged > 100 for c in counters), "counting")
            redis.pause()
            time.sleep(0.3)
            redis.resume()
        self.check(counters, redis)
        self.assertEqual(sum(c.unknown + c.refused for c in counters), 0)

    def test_the_primary_is_killed_and_comes_back(self):
        redis = self.stack.start(Redis("--appendonly", "yes", "--appendfsync", "always"))
        proxy = self.stack.start(Proxy(redis))
        counters = [Counting(proxy.port) for _ in range(8)]
        for _ in range(3):
            before = sum(c.acknowledged for c in counters)
            until(lambda: sum(c.acknowledged for c in counters) > before + 200, "counting")
            redis.stop()
            redis = self.stack.start(
                Redis(*redis.arguments, port=redis.port, directory=redis.directory))
        before = sum(c.acknowledged for c in counters)
        until(lambda: sum(c.acknowledged for c in counters) > before + 200, "counting again")
        self.check(counters, redis)

    def test_roles_change(self):
        # Both servers stand behind the address of the primary, as behind the name of a service.
        first, others = self.stack.replicated(1)
        second = others[0]
        gate = Gate(first.port)
        self.addCleanup(gate.close)
        proxy = self.stack.start(Proxy(f"127.0.0.1:{gate.port}"))
        counters = [Counting(proxy.port) for _ in range(8)]
        until(lambda: all(c.acknowledged > 50 for c in counters), "counting")
        first("CLIENT", "PAUSE", 10_000, "WRITE")
        until(lambda: first("DEBUG", "DIGEST") == second("DEBUG", "DIGEST"), "the replica has all")
        second("REPLICAOF", "NO", "ONE")
        gate.target = second.port
        first("REPLICAOF", "127.0.0.1", second.port)
        first("CLIENT", "UNPAUSE")
        before = sum(c.acknowledged for c in counters)
        until(lambda: sum(c.acknowledged for c in counters) > before + 200, "counting again")
        self.check(counters, second)
        self.assertGreaterEqual(proxy.metrics()["redis_role_lookups_total"], 1)

    def test_a_replica_dies(self):
        primary, replicas = self.stack.replicated(1)
        proxy = self.stack.start(Proxy(primary, reader=replicas[0]))
        primary("SET", "a", 1)
        until(lambda: replicas[0]("GET", "a") == b"$1\r\n1\r\n", "the replica has it")
        raw = Raw(proxy.port)
        self.assertEqual(raw("GET", "a"), b"$1\r\n1\r\n")
        replicas[0].stop()
        def reads():
            reply = raw("GET", "a")
            self.assertTrue(reply == b"$1\r\n1\r\n" or b"may have been executed" in reply)
            return reply == b"$1\r\n1\r\n" and proxy.metrics()["redis_replica_fallbacks_total"] > 0
        until(reads, "reads go to the primary")
        self.stack.start(Redis("--replicaof", "127.0.0.1", primary.port, port=replicas[0].port))
        name = 'redis_commands_total{cmd="get",upstream="replica"}'
        before = proxy.metrics()[name]
        def returns():
            raw("GET", "a")
            return proxy.metrics()[name] > before
        until(returns, "reads go to the replica again")

    def test_a_transaction_is_cut_in_half(self):
        redis = self.stack.start(Redis("--appendonly", "yes", "--appendfsync", "always"))
        proxy = self.stack.start(Proxy(redis))
        raw = Raw(proxy.port)
        raw("MULTI")
        raw("SET", "a", "in a transaction")
        redis.stop()
        redis = self.stack.start(Redis(*redis.arguments, port=redis.port, directory=redis.directory))
        # What follows must not run outside of the transaction.
        with self.assertRaises((Lost, OSError)):
            raw.send("SET", "b", "outside")
            raw.send("EXEC")
            while True:
                raw.reply()
        self.assertEqual(redis("MGET", "a", "b"), b"*2\r\n$-1\r\n$-1\r\n")

    def test_the_primary_is_away_for_too_long(self):
        redis = self.stack.start(Redis())
        proxy = self.stack.start(Proxy(redis, "--connect-timeout", "1s"))
        raw = Raw(proxy.port)
        self.assertEqual(raw("PING"), b"+PONG\r\n")
        redis.stop()
        until(lambda: b"was not sent" in raw("SET", "a", 1), "an error that says so")
        # Ready again once it is back, the client as before.
        self.stack.start(Redis(port=redis.port))
        until(lambda: raw("PING") == b"+PONG\r\n", "it answers again")

    def test_blocking_and_transactions_follow_a_failover(self):
        # Both servers are among the addresses of the primary all the time.
        first, others = self.stack.replicated(1)
        second = others[0]
        proxy = self.stack.start(Proxy(f"127.0.0.1:{first.port},127.0.0.1:{second.port}"))
        raw, other = Raw(proxy.port), Raw(proxy.port)
        self.assertEqual(raw("BLPOP", "none", "0.01"), b"*-1\r\n")
        other("MULTI")
        second("REPLICAOF", "NO", "ONE")
        first("REPLICAOF", "127.0.0.1", second.port)
        self.assertIn(b"READONLY", other("SET", "a", 1))
        self.assertIn(b"EXECABORT", other("EXEC"))
        until(lambda: raw("BLPOP", "none", "0.01") == b"*-1\r\n", "it blocks again")
        def transaction():
            other.socket.sendall(b"MULTI\r\nSET a 1\r\nEXEC\r\n")
            return [other.reply() for _ in range(3)][2] == b"*1\r\n+OK\r\n"
        until(transaction, "a transaction takes place")
        # And stays so: no connection to the former primary is used again.
        for _ in range(20):
            self.assertEqual(raw("BLPOP", "none", "0.01"), b"*-1\r\n")
            self.assertTrue(transaction())
        self.assertEqual(second("GET", "a"), b"$1\r\n1\r\n")

    def test_an_error_that_looks_like_a_failover_disturbs_nobody(self):
        redis = self.stack.start(Redis())
        proxy = self.stack.start(Proxy(redis))
        raw = Raw(proxy.port)
        for code in ("READONLY", "LOADING", "MASTERDOWN"):
            self.assertIn(code.encode(), raw("EVAL", f"return redis.error_reply('{code} x')", 0))
        self.assertEqual(raw("PING"), b"+PONG\r\n")
        self.assertEqual(proxy.metrics()["redis_role_lookups_total"], 0)

    def test_a_replica_that_lost_its_primary_is_left(self):
        primary, replicas = self.stack.replicated(1)
        proxy = self.stack.start(Proxy(primary, reader=replicas[0]))
        raw = Raw(proxy.port)
        until(lambda: proxy.metrics()['tcp_connections{peer="replica"}'] == 1, "it is there")
        # It goes on answering with what it has.
        replicas[0]("REPLICAOF", "127.0.0.1", free_port())
        primary("SET", "a", "new")
        until(lambda: raw("GET", "a") == b"$3\r\nnew\r\n", "reads go to the primary")

    def test_a_server_that_is_gone_without_a_word(self):
        """A half-open connection: nothing comes back, not even an acknowledgement."""
        redis = self.stack.start(Redis())
        gate = Gate(redis.port)
        self.addCleanup(gate.close)
        proxy = self.stack.start(Proxy(f"127.0.0.1:{gate.port}"))
        raw, blocked = Raw(proxy.port, timeout=60), Raw(proxy.port, timeout=60)
        self.assertEqual(raw("SET", "a", 1), b"+OK\r\n")
        blocked.send("BLPOP", "q", 0)
        until(lambda: b"blocked_clients:1" in redis("INFO", "clients"), "it blocks")
        gate.fall_silent()
        begin = time.monotonic()
        self.assertIn(b"may have been executed", raw("SET", "a", 2))
        # Not at once, as it would be if the connection had been closed.
        self.assertGreater(time.monotonic() - begin, 5)
        self.assertEqual(raw("GET", "a"), b"$1\r\n1\r\n")
        self.assertIn(b"may have been executed", blocked.reply())
        self.assertEqual(blocked("BLPOP", "none", "0.01"), b"*-1\r\n")

    def test_cut_connections(self):
        redis = self.stack.start(Redis())
        gate = Gate(redis.port)
        self.addCleanup(gate.close)
        proxy = self.stack.start(Proxy(f"127.0.0.1:{gate.port}"))
        counters = [Counting(proxy.port) for _ in range(4)]
        until(lambda: all(c.acknowledged > 50 for c in counters), "counting")
        gate.cut()
        before = sum(c.acknowledged for c in counters)
        until(lambda: sum(c.acknowledged for c in counters) > before + 100, "counting again")
        self.check(counters, redis)

    def test_the_proxy_stops(self):
        redis = self.stack.start(Redis())
        proxy = self.stack.start(Proxy(redis))
        counters = [Counting(proxy.port) for _ in range(8)]
        until(lambda: all(c.acknowledged > 50 for c in counters), "counting")
        idle = Raw(proxy.port)
        idle("PING")
        proxy.signal(signal.SIGTERM)
        self.assertEqual(proxy.process.wait(15), 0)
        self.assertTrue(idle.is_closed())
        self.check(counters, redis)


class Gate:
    """Passes connections on to a server, which can be another from one moment to the next."""

    def __init__(self, target):
        self.target = target
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.pairs = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            self.pairs.append((client, server))
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self.copy, args=(one, other), daemon=True).start()

    def copy(self, one, other):
        try:
            while data := one.recv(1 << 16):
                other.sendall(data)
        except OSError:
            pass
        for side in (one, other):
            try:
                side.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        """Ends all connections."""
        for client, server in self.pairs:
            for side in (client, server):
                try:
                    side.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def fall_silent(self):
        """Makes the kernel drop all that clients send on their connections, without a word."""
        # A classic BPF program of one instruction: keep no byte of any packet.
        program = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
        filter = struct.pack("HL", 1, ctypes.addressof(program))
        for client, _ in self.pairs:
            client.setsockopt(socket.SOL_SOCKET, 26, filter)  # SO_ATTACH_FILTER

    def close(self):
        self.listener.close()
        self.cut()


if __name__ == "__main__":
    unittest.main()
