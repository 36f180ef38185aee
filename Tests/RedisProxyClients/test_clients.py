"""Clients that people use, unchanged."""

import socket
import subprocess
import threading
import time
import unittest

import redis

from servers import Proxy, Raw, Stack, until


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack()
        cls.primary, cls.replicas = cls.stack.replicated()
        cls.proxy = cls.stack.start(
            Proxy(cls.primary, "--read-your-writes", "5s", reader=cls.replicas[0]))

    @classmethod
    def tearDownClass(cls):
        cls.stack.close()

    def setUp(self):
        self.primary("FLUSHALL")

    def connect(self, protocol, **options):
        client = redis.Redis(port=self.proxy.port, protocol=protocol, socket_timeout=10, **options)
        self.addCleanup(client.close)
        return client

    def each(self, **options):
        for protocol in (2, 3):
            with self.subTest(protocol=protocol):
                self.primary("FLUSHALL")
                yield self.connect(protocol, **options)

    def test_values(self):
        for client in self.each(decode_responses=True):
            self.assertTrue(client.set("a", "ä", ex=100))
            self.assertEqual(client.get("a"), "ä")
            client.hset("h", mapping={"x": 1, "y": 2})
            self.assertEqual(client.hgetall("h"), {"x": "1", "y": "2"})
            client.zadd("z", {"m": 1.5})
            self.assertEqual(client.zscore("z", "m"), 1.5)
            self.assertEqual(client.lrange("none", 0, -1), [])
            client.sadd("s", *range(1000))
            self.assertEqual(len(set(client.sscan_iter("s"))), 1000)
            self.assertEqual(client.object("encoding", "a"), "embstr")

    def test_pipelines_and_transactions(self):
        for client in self.each(decode_responses=True):
            with client.pipeline(transaction=False) as pipe:
                for number in range(5000):
                    pipe.set(f"k{number}", number).get(f"k{number}")
                replies = pipe.execute()
            self.assertEqual(replies[1::2], [str(n) for n in range(5000)])
            with client.pipeline() as pipe:
                pipe.incr("n").incr("n")
                self.assertEqual(pipe.execute(), [1, 2])
            with client.pipeline() as pipe:
                pipe.watch("n")
                self.connect(2).incr("n")
                pipe.multi()
                pipe.incr("n")
                self.assertRaises(redis.WatchError, pipe.execute)
            self.assertEqual(client.transaction(lambda p: (p.multi(), p.incr("n")), "n"), [4])
            with client.pipeline(transaction=False) as pipe:
                pipe.set("x", 1).lpush("x", 2).get("x")
                replies = pipe.execute(raise_on_error=False)
            self.assertIsInstance(replies[1], redis.ResponseError)
            self.assertEqual(replies[2], "1")

    def test_publish_and_subscribe(self):
        for client in self.each(decode_responses=True):
            with client.pubsub() as pubsub:
                pubsub.subscribe("c")
                pubsub.psubscribe("p*")
                self.assertEqual(pubsub.get_message(timeout=5)["type"], "subscribe")
                self.assertEqual(pubsub.get_message(timeout=5)["type"], "psubscribe")
                self.assertEqual(client.publish("c", "one"), 1)
                self.assertEqual(pubsub.get_message(timeout=5)["data"], "one")
                client.publish("p1", "two")
                self.assertEqual(pubsub.get_message(timeout=5)["channel"], "p1")
                pubsub.unsubscribe("c")
                self.assertEqual(pubsub.get_message(timeout=5)["type"], "unsubscribe")
                self.assertTrue(client.ping())

    def test_blocking(self):
        for client in self.each(decode_responses=True):
            self.assertIsNone(client.blpop("q", timeout=0.05))
            popped = []
            waiter = threading.Thread(target=lambda: popped.append(self.connect(2).blpop("q", 10)))
            waiter.start()
            until(lambda: b"blocked_clients:1" in self.primary("INFO", "clients"), "it blocks")
            # Others go on meanwhile.
            self.assertTrue(client.set("other", 1))
            client.rpush("q", "x")
            waiter.join(10)
            self.assertEqual([tuple(pair) for pair in popped], [(b"q", b"x")])
            client.xadd("x", {"a": 1}, id="1-1")
            self.assertTrue(client.xread({"x": "0"}, block=1000))
            self.assertEqual(client.wait(2, 5000), 2)

    def test_scripts(self):
        for client in self.each(decode_responses=True):
            script = client.register_script("return redis.call('incrby', KEYS[1], ARGV[1])")
            self.assertEqual(script(keys=["n"], args=[5]), 5)
            self.assertEqual(client.eval("return {1, 'a'}", 0), [1, "a"])
            with self.assertRaises(redis.exceptions.NoScriptError):
                client.evalsha("0" * 40, 0)

    def test_databases_and_names(self):
        for client in self.each(decode_responses=True, db=3, client_name="me"):
            client.set("only-here", 1)
            self.assertEqual(client.client_getname(), "me")
            self.assertIsNone(self.connect(2).get("only-here"))
            self.assertEqual(self.connect(2, db=3).get("only-here"), b"1")
            self.assertEqual(client.client_info()["db"], 3)
            self.assertGreater(client.client_id(), 0)

    def test_invalidation_messages(self):
        client = self.connect(3)
        raw = Raw(self.proxy.port)
        raw("HELLO", 3)
        self.assertEqual(raw("CLIENT", "TRACKING", "ON"), b"+OK\r\n")
        raw("GET", "tracked")
        client.set("tracked", 1)
        self.assertEqual(raw.reply(), b">2\r\n$10\r\ninvalidate\r\n*1\r\n$7\r\ntracked\r\n")

    def test_big_values(self):
        size = 100 << 20
        raw = Raw(self.proxy.port, timeout=60)
        raw.socket.sendall(b"*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$%d\r\n" % size)
        piece = bytes(1 << 20)
        for _ in range(size >> 20):
            raw.socket.sendall(piece)
        raw.socket.sendall(b"\r\n" + Raw.encode("STRLEN", "big") + Raw.encode("GET", "big"))
        self.assertEqual(raw.reply(), b"+OK\r\n")
        self.assertEqual(raw.reply(), b":%d\r\n" % size)
        self.assertEqual(len(raw.reply()), size + len(b"$104857600\r\n") + 2)
        with open(f"/proc/{self.proxy.process.pid}/status") as status:
            peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
        self.assertLess(peak, 150 << 10)
        raw("DEL", "big")

    def test_a_client_that_does_not_read_holds_nobody_up(self):
        with Raw(self.primary.port) as writer:
            writer("SET", "large", b"x" * (30 << 20))
            self.assertEqual(writer("WAIT", 2, 30000), b":2\r\n")
        slow = Raw(self.proxy.port)
        for _ in range(5):
            slow.send("GET", "large")
        time.sleep(0.5)
        with open(f"/proc/{self.proxy.process.pid}/status") as status:
            memory = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
        self.assertLess(memory, 150 << 10)
        other = Raw(self.proxy.port)
        self.assertEqual(other("PING"), b"+PONG\r\n")
        for _ in range(5):
            self.assertEqual(len(slow.reply()), (30 << 20) + 13)
        self.assertEqual(slow("PING"), b"+PONG\r\n")

    def test_who_waits_behind_a_client_that_does_not_read_is_served_in_the_end(self):
        with Raw(self.primary.port) as writer:
            writer("SET", "large", b"x" * (30 << 20))
        slow = Raw(self.proxy.port)
        slow("SET", "a", 1)
        others = [Raw(self.proxy.port) for _ in range(20)]
        slow.socket.sendall(Raw.encode("GET", "large") * 5)
        for other in others:
            other.send("INCR", "n")
        for other in others:
            self.assertTrue(other.reply().startswith(b":"))
            other.socket.close()
        slow.socket.close()

    def test_command_line(self):
        def cli(*words, stdin=None):
            return subprocess.run(
                ["redis-cli", "-p", str(self.proxy.port), *words], input=stdin, text=True,
                capture_output=True, timeout=30, check=True).stdout
        self.assertEqual(cli("SET", "a", "1"), "OK\n")
        self.assertEqual(cli("-3", "HELLO").splitlines()[0], "server redis")
        self.assertEqual(cli(stdin="MULTI\nINCR a\nEXEC\n"), "OK\nQUEUED\n2\n")
        self.assertIn("PONG", cli("--raw", "PING"))
        mass = "".join(f"*3\r\n$3\r\nSET\r\n$6\r\nm{n:05}\r\n$1\r\n1\r\n" for n in range(20000))
        self.assertIn("replies: 20000", cli("--pipe", stdin=mass))
        self.assertIn("master", cli("INFO", "replication"))

    def test_benchmark(self):
        output = subprocess.run(
            ["redis-benchmark", "-p", str(self.proxy.port), "-n", "2000", "-P", "16", "-q"],
            capture_output=True, text=True, timeout=120, check=True)
        self.assertNotIn("ERR", output.stdout + output.stderr)
        self.assertIn("MSET", output.stdout)

    def test_protocol_errors_are_told(self):
        for data, error in [
            (b"*1\r\n+x\r\n", b"-ERR Protocol error: expected '$', got '+'\r\n"),
            (b"*x\r\n", b"-ERR Protocol error: invalid multibulk length\r\n"),
            (b"*1\r\n$-5\r\n", b"-ERR Protocol error: invalid bulk length\r\n"),
            (b"*9999999\r\n", b"-ERR Protocol error: invalid multibulk length\r\n"),
            (b'SET "a\r\n', b"-ERR Protocol error: unbalanced quotes in request\r\n"),
            (b"x" * 70000, b"-ERR Protocol error: too big inline request\r\n"),
        ]:
            raw = Raw(self.proxy.port)
            raw.socket.sendall(Raw.encode("SET", "a", 1) + data)
            self.assertEqual(raw.reply(), b"+OK\r\n")
            self.assertEqual(raw.reply(), error)
            self.assertTrue(raw.is_closed())

    def test_quit_and_half_closed_connections(self):
        raw = Raw(self.proxy.port)
        raw.socket.sendall(Raw.encode("SET", "a", 1) + Raw.encode("QUIT") + Raw.encode("SET", "a", 2))
        self.assertEqual((raw.reply(), raw.reply()), (b"+OK\r\n", b"+OK\r\n"))
        self.assertTrue(raw.is_closed())
        self.assertEqual(self.primary("GET", "a"), b"$1\r\n1\r\n")
        raw = Raw(self.proxy.port)
        raw.socket.sendall(b"MULTI\r\nINCR a\r\nEXEC\r\nPING\r\n")
        raw.socket.shutdown(socket.SHUT_WR)
        self.assertEqual([raw.reply() for _ in range(4)],
                         [b"+OK\r\n", b"+QUEUED\r\n", b"*1\r\n:2\r\n", b"+PONG\r\n"])
        self.assertTrue(raw.is_closed())

    def test_a_half_closed_connection_gets_all_its_replies(self):
        raw = Raw(self.proxy.port)
        raw.socket.sendall(
            Raw.encode("INCR", "n") + Raw.encode("SELECT", 0) + Raw.encode("INCR", "n") * 4000)
        raw.socket.shutdown(socket.SHUT_WR)
        self.assertEqual([raw.reply() for _ in range(2)], [b":1\r\n", b"+OK\r\n"])
        for number in range(2, 4002):
            self.assertEqual(raw.reply(), b":%d\r\n" % number)
        self.assertTrue(raw.is_closed())

    def test_a_slow_reader_gets_all_before_its_connection_ends(self):
        with Raw(self.primary.port) as writer:
            writer("SET", "large", b"x" * 6_000_000)
            self.assertEqual(writer("WAIT", 2, 30000), b":2\r\n")
        for end in (lambda raw: raw.send("QUIT"), lambda raw: raw.socket.shutdown(socket.SHUT_WR)):
            raw = Raw(self.proxy.port)
            raw.send("GET", "large")
            end(raw)
            time.sleep(0.5)
            self.assertEqual(len(raw.reply()), 6_000_012)
            if end is not None and raw.buffer:
                self.assertEqual(raw.reply(), b"+OK\r\n")
            self.assertTrue(raw.is_closed())

    def test_a_long_pipeline_needs_no_memory(self):
        proxy = self.stack.start(Proxy(self.primary))
        raw = Raw(proxy.port, timeout=60)
        raw("PING")
        before = proxy.memory()
        one = Raw.encode("SET", "k", b"v" * 9000)
        sender = threading.Thread(target=lambda: raw.socket.sendall(one * 3000))
        sender.start()
        for _ in range(3000):
            self.assertEqual(raw.reply(), b"+OK\r\n")
        sender.join(60)
        self.assertLess(proxy.memory("VmHWM"), before + (20 << 10))
        raw.socket.close()

    def test_what_a_client_does_to_its_connection_reaches_no_other(self):
        other = Raw(self.proxy.port, timeout=5)
        other("PING")
        connects = "redis_connects_total"
        before = self.proxy.metrics()[connects]
        with Raw(self.proxy.port) as raw:
            raw.socket.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertTrue(raw.is_closed())
        self.assertEqual(self.proxy.metrics()[connects], before)
        with Raw(self.proxy.port) as raw:
            raw.send("XREAD", *["COUNT", 1] * 4, "BLOCK", 0, "STREAMS", "s", "$")
            self.assertEqual(other("SET", "b", 1), b"+OK\r\n")
        with Raw(self.proxy.port) as raw:
            raw("SCRIPT", "DEBUG", "YES")
            self.assertEqual(other("EVAL", "return 1", 0), b":1\r\n")
        with Raw(self.proxy.port) as raw:
            for words in [("MULTI",), ("WAIT", 0, 0)]:
                raw(*words)
            self.assertEqual(raw("EXEC")[:4], b"*1\r\n")
        with Raw(self.proxy.port) as raw:
            self.assertIn(b"-ERR redis-proxy", raw("CLIENT", "KILL", "ID", raw("CLIENT", "ID")[1:-2]))

    def test_replies_that_come_early_keep_nobody_waiting(self):
        with Raw(self.primary.port) as writer:
            writer("SET", "seven", b"x" * 700_000)
            self.assertEqual(writer("WAIT", 2, 30000), b":2\r\n")
        proxy = self.stack.start(Proxy(self.primary, reader=self.replicas[0]))
        raw = Raw(proxy.port)
        until(lambda: raw("STRLEN", "seven") == b":700000\r\n", "the replica has it")
        read, slow = Raw.encode("GET", "seven"), Raw.encode("DEBUG", "SLEEP", "0.3")
        raw.socket.sendall(slow + read + slow + read * 3)
        for size in (5, 700_011, 5, 700_011, 700_011, 700_011):
            self.assertEqual(len(raw.reply()), size)
        raw.socket.close()

    def test_reads_go_to_replicas(self):
        raw = Raw(self.proxy.port)
        name = 'redis_commands_total{cmd="strlen",upstream="%s"}'
        before = self.proxy.metrics().get(name % "replica", 0)
        raw("STRLEN", "a")
        self.assertEqual(self.proxy.metrics()[name % "replica"], before + 1)
        raw("SET", "a", "x")
        primary = self.proxy.metrics().get(name % "primary", 0)
        self.assertEqual(raw("STRLEN", "a"), b":1\r\n")
        self.assertEqual(self.proxy.metrics()[name % "primary"], primary + 1)


if __name__ == "__main__":
    unittest.main()
