"""Clients that die leave nothing behind for the next."""

import struct
import socket
import unittest

from servers import Proxy, Raw, Redis, Stack, until


class Leaks(unittest.TestCase):
    def setUp(self):
        self.stack = Stack()
        self.addCleanup(self.stack.close)
        self.redis = self.stack.start(Redis())
        self.redis("ACL", "SETUSER", "alice", "on", ">secret", "~a*", "+@all")
        self.redis("ACL", "SETUSER", "bob", "on", ">other", "~b*", "+@all")
        self.proxy = self.stack.start(Proxy(self.redis))

    def connect(self):
        raw = Raw(self.proxy.port)
        self.addCleanup(raw.socket.close)
        return raw

    def die(self, raw):
        """Without a word: the other side gets a reset."""
        raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raw.socket.close()

    def others(self, count=20):
        """What many new clients find, both on shared connections and on their own."""
        for _ in range(count):
            raw = self.connect()
            self.assertEqual(raw("SET", "probe", 1), b"+OK\r\n")
            self.assertEqual(raw("GET", "probe"), b"$1\r\n1\r\n")
            self.assertEqual(raw("CLIENT", "GETNAME"), b"$-1\r\n")
            self.assertEqual(raw("ACL", "WHOAMI"), b"$7\r\ndefault\r\n")
            self.assertEqual(raw("EXEC"), b"-ERR EXEC without MULTI\r\n")
            raw.send("MULTI")
            raw.send("GET", "probe")
            raw.send("EXEC")
            self.assertEqual([raw.reply() for _ in range(3)],
                             [b"+OK\r\n", b"+QUEUED\r\n", b"*1\r\n$1\r\n1\r\n"])
            self.assertEqual(raw("BLPOP", "empty", "0.001"), b"*-1\r\n")
            raw.socket.close()

    def test_in_the_middle_of_a_transaction(self):
        raw = self.connect()
        raw("MULTI")
        raw("SET", "probe", "leaked")
        self.die(raw)
        self.others()
        self.assertEqual(self.redis("GET", "probe"), b"$1\r\n1\r\n")

    def test_watching(self):
        raw = self.connect()
        raw("WATCH", "probe")
        self.die(raw)
        self.redis("SET", "probe", 2)
        self.others()

    def test_subscribed(self):
        for version in (2, 3):
            raw = self.connect()
            raw("HELLO", version)
            raw("SUBSCRIBE", "c")
            raw("PSUBSCRIBE", "c*")
            self.die(raw)
        until(lambda: self.redis("PUBLISH", "c", "x") == b":0\r\n", "the subscription is gone")
        self.others()

    def test_monitoring(self):
        raw = self.connect()
        raw("MONITOR")
        self.die(raw)
        self.others()

    def test_blocked(self):
        raw = self.connect()
        raw.send("BLPOP", "q", 0)
        until(lambda: b"blocked_clients:1" in self.redis("INFO", "clients"), "it blocks")
        self.die(raw)
        until(lambda: b"blocked_clients:0" in self.redis("INFO", "clients"), "it blocks no more")
        self.redis("RPUSH", "q", "kept")
        self.assertEqual(self.redis("LRANGE", "q", 0, -1), b"*1\r\n$4\r\nkept\r\n")
        self.others()

    def test_in_another_database(self):
        raw = self.connect()
        raw("SELECT", 5)
        raw("SET", "probe", "of five")
        raw.send("MULTI")
        self.die(raw)
        self.others()
        self.assertEqual(self.redis("GET", "probe"), b"$1\r\n1\r\n")

    def test_selecting_within_a_transaction(self):
        raw = self.connect()
        for words in [("MULTI",), ("SELECT", 6), ("EXEC",)]:
            raw(*words)
        raw("SET", "probe", "of six")
        self.assertEqual(raw("GET", "probe"), b"$6\r\nof six\r\n")
        self.die(raw)
        self.others()

    def test_logged_in(self):
        alice, bob = self.connect(), self.connect()
        self.assertEqual(alice("AUTH", "alice", "wrong"),
                         b"-WRONGPASS invalid username-password pair or user is disabled.\r\n")
        self.assertEqual(alice("AUTH", "alice", "secret"), b"+OK\r\n")
        self.assertTrue(bob("HELLO", 3, "AUTH", "bob", "other", "SETNAME", "bobby").startswith(b"%7"))
        self.assertEqual(alice("SET", "a1", 1), b"+OK\r\n")
        self.assertIn(b"NOPERM", alice("SET", "b1", 1))
        self.assertEqual(bob("SET", "b1", 1), b"+OK\r\n")
        self.assertIn(b"NOPERM", bob("SET", "a1", 1))
        self.assertEqual(alice("ACL", "WHOAMI"), b"$5\r\nalice\r\n")
        alice("MULTI")
        self.die(alice)
        self.die(bob)
        self.others()
        # A password that has changed is asked for again.
        self.redis("ACL", "SETUSER", "alice", "resetpass", ">new")
        self.assertIn(b"WRONGPASS", self.connect()("AUTH", "alice", "secret"))

    def test_replies_off(self):
        raw = self.connect()
        raw.send("CLIENT", "REPLY", "OFF")
        raw.send("SET", "probe", 1)
        self.die(raw)
        self.others()

    def test_in_the_middle_of_a_long_command(self):
        raw = self.connect()
        raw.socket.sendall(b"*3\r\n$3\r\nSET\r\n$5\r\nprobe\r\n$1000000\r\n" + b"x" * 500_000)
        self.die(raw)
        self.others()

    def test_with_replies_under_way(self):
        self.redis("SET", "large", b"x" * 5_000_000)
        for _ in range(5):
            raw = self.connect()
            for _ in range(20):
                raw.send("GET", "large")
            raw.send("INCR", "n")
            self.die(raw)
        self.others()

    def test_reset(self):
        raw = self.connect()
        raw("HELLO", 3, "AUTH", "alice", "secret", "SETNAME", "x")
        raw("SELECT", 4)
        raw("MULTI")
        self.assertEqual(raw("RESET"), b"+RESET\r\n")
        self.assertEqual(raw("CLIENT", "GETNAME"), b"$-1\r\n")
        self.assertEqual(raw("ACL", "WHOAMI"), b"$7\r\ndefault\r\n")
        self.assertEqual(raw("EXEC"), b"-ERR EXEC without MULTI\r\n")
        self.assertIn(b"db=0", raw("CLIENT", "INFO"))

    def test_dying_with_something_that_waits_on_its_way(self):
        for command in (("BLPOP", "q", 0), ("SUBSCRIBE", "c")):
            for _ in range(5):
                raw = self.connect()
                raw.socket.sendall(Raw.encode("INCR", "n") + Raw.encode(*command))
                raw.socket.close()
        self.others()
        self.assertEqual(self.redis("RPUSH", "q", "kept"), b":1\r\n")
        self.assertEqual(self.redis("LLEN", "q"), b":1\r\n")
        self.assertEqual(self.redis("PUBLISH", "c", "x"), b":0\r\n")

    def test_dying_within_a_command_in_a_transaction(self):
        raw = self.connect()
        raw("MULTI")
        raw.socket.sendall(b"*2\r\n$3\r\nGE")
        raw.socket.close()
        until(lambda: self.proxy.metrics()['tcp_connections{peer="client"}'] == 0, "it has left")
        self.assertEqual(self.proxy.metrics()["redis_pinned_clients"], 0)
        self.others()

    def test_a_long_command_without_end_takes_nobodys_replies(self):
        self.redis("SET", "secret", "of another")
        for name in ("EXEC", "DISCARD", "UNWATCH", "GET"):
            raw, other = self.connect(), self.connect()
            raw.socket.sendall(
                b"*2\r\n$%d\r\n%s\r\n$200000\r\n" % (len(name), name.encode()) + b"x" * 70_000)
            for _ in range(20):
                self.assertEqual(other("GET", "secret"), b"$10\r\nof another\r\n")
            raw.socket.settimeout(0.1)
            with self.assertRaises(TimeoutError):
                raw.reply()
            self.die(raw)
        self.others()

    def test_reset_after_a_subscription(self):
        raw = self.connect()
        raw("SELECT", 3)
        raw("SUBSCRIBE", "c")
        raw.send("PING")
        raw.send("RESET")
        raw.send("GET", "probe")
        self.redis("SET", "probe", 1)
        self.assertEqual(raw.reply(), b"*2\r\n$4\r\npong\r\n$0\r\n\r\n")
        self.assertEqual(raw.reply(), b"+RESET\r\n")
        raw.reply()
        self.assertEqual(raw("GET", "probe"), b"$1\r\n1\r\n")
        until(lambda: self.redis("PUBLISH", "c", "x") == b":0\r\n", "the subscription is gone")
        self.assertEqual(self.proxy.metrics()["redis_pinned_clients"], 0)
        self.others()

    def test_upkeep(self):
        proxy = self.stack.start(
            Proxy(self.redis, "--max-idle-time", "1s", "--min-idle-connections", "1"))
        clients = [Raw(proxy.port) for _ in range(4)]
        for raw in clients:
            raw.send("BLPOP", "none", "0.5")
        for raw in clients:
            self.assertEqual(raw.reply(), b"*-1\r\n")
        idle = 'tcp_idle_connections{peer="primary"}'
        until(lambda: proxy.metrics()[idle] == 4, "they are given back")
        until(lambda: proxy.metrics()[idle] == 1, "they are closed but for one")
        for raw in clients:
            self.assertEqual(raw("BLPOP", "none", "0.01"), b"*-1\r\n")
            raw.socket.close()
        self.assertIsNone(proxy.process.poll())

    def test_lifetimes(self):
        proxy = self.stack.start(Proxy(self.redis, "--max-lifetime", "1s"))
        raw = Raw(proxy.port)
        raw("MULTI")
        def renewed():
            self.assertEqual(raw("INCR", "n"), b"+QUEUED\r\n")
            return proxy.metrics()["redis_connects_total"] > 4
        until(renewed, "connections are renewed")
        self.assertIn(b":1\r\n", raw("EXEC"))
        self.assertEqual(raw("PING"), b"+PONG\r\n")
        raw.socket.close()

    def test_connections_are_used_again(self):
        self.others(50)
        connections = self.proxy.metrics()['tcp_connections{peer="primary"}']
        self.assertLess(connections, 6)
        until(lambda: self.proxy.metrics()['tcp_connections{peer="client"}'] == 0, "all have left")

    def test_a_locked_server(self):
        self.redis("CONFIG", "SET", "requirepass", "key")
        proxy = self.stack.start(Proxy(self.redis))
        with Raw(proxy.port) as raw:
            self.assertIn(b"-NOAUTH", raw("GET", "a"))
            self.assertIn(b"-NOAUTH", raw("HELLO", 3))
            self.assertIn(b"-WRONGPASS", raw("AUTH", "wrong"))
            self.assertEqual(raw("AUTH", "key"), b"+OK\r\n")
            self.assertEqual(raw("GET", "a"), b"$-1\r\n")
        with Raw(proxy.port) as raw:
            self.assertIn(b"-NOAUTH", raw("GET", "a"))

    def test_too_many_clients(self):
        proxy = self.stack.start(Proxy(self.redis, "--max-connections", "2", "--connect-timeout", "1s"))
        first, second = Raw(proxy.port), Raw(proxy.port)
        self.assertEqual((first("PING"), second("PING")), (b"+PONG\r\n", b"+PONG\r\n"))
        third = Raw(proxy.port)
        self.assertEqual(third.reply(), b"-ERR max number of clients reached\r\n")
        self.assertTrue(third.is_closed())
        third = Raw(proxy.port)
        third.send("PING")
        first.socket.close()
        self.assertEqual(third.reply(), b"+PONG\r\n")
        for raw in (second, third):
            raw.socket.close()

    def test_replication_is_refused(self):
        raw = self.connect()
        for words in [("SYNC",), ("PSYNC", "?", -1), ("REPLCONF", "ACK", 1)]:
            self.assertTrue(raw(*words).startswith(b"-ERR redis-proxy"))
        self.assertEqual(raw("PING"), b"+PONG\r\n")


if __name__ == "__main__":
    unittest.main()
