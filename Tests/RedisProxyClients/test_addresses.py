"""Several servers with the same role, as behind a name with several addresses."""

import time
import unittest

from servers import Proxy, Raw, Redis, Stack, until


def reads(redis):
    stats = redis("INFO", "commandstats").decode()
    return sum(int(line.split("calls=")[1].split(",")[0]) for line in stats.splitlines()
               if line.startswith("cmdstat_strlen"))


def names(*servers):
    return ",".join(f"{server.host}:{server.port}" for server in servers)


class Addresses(unittest.TestCase):
    def setUp(self):
        self.stack = Stack()
        self.addCleanup(self.stack.close)

    def pair(self, primary):
        replicas = [self.stack.start(Redis("--replicaof", "127.0.0.1", primary.port, host=host))
                    for host in ("127.0.0.1", "127.0.0.2")]
        until(lambda: all(b"connected" in replica("ROLE") for replica in replicas), "they follow")
        return replicas

    def test_reads_are_spread_over_the_replicas_that_live(self):
        primary = self.stack.start(Redis())
        replicas = self.pair(primary)
        proxy = self.stack.start(Proxy(primary, reader=names(*replicas)))
        def asked():
            for _ in range(10):
                with Raw(proxy.port) as raw:
                    self.assertEqual(raw("STRLEN", "a"), b":0\r\n")
            return all(reads(replica) >= 20 for replica in replicas)
        until(asked, "both are asked")
        replicas[0].stop()
        before = reads(replicas[1])
        def asked_again():
            with Raw(proxy.port) as raw:
                self.assertEqual(raw("STRLEN", "a"), b":0\r\n")
            return reads(replicas[1]) > before + 50
        until(asked_again, "the other answers")
        self.assertEqual(reads(primary), 0)
        again = self.stack.start(
            Redis("--replicaof", "127.0.0.1", primary.port, port=replicas[0].port))
        def returned():
            with Raw(proxy.port) as raw:
                raw("STRLEN", "a")
            return reads(again) > 0
        until(returned, "the one that came back is asked")

    def test_the_primary_is_found_among_replicas(self):
        replica = self.stack.start(Redis())
        primary = self.stack.start(Redis())
        replica("REPLICAOF", "127.0.0.1", primary.port)
        proxy = self.stack.start(Proxy(names(replica, primary)))
        with Raw(proxy.port) as raw:
            self.assertEqual(raw("SET", "a", 1), b"+OK\r\n")
        # The two change places.
        until(lambda: replica("GET", "a") == b"$1\r\n1\r\n", "it has all")
        replica("REPLICAOF", "NO", "ONE")
        primary("REPLICAOF", "127.0.0.1", replica.port)
        with Raw(proxy.port) as raw:
            def writes():
                reply = raw("SET", "b", 2)
                self.assertTrue(reply == b"+OK\r\n" or reply.startswith(b"-READONLY"), reply)
                return reply == b"+OK\r\n"
            until(writes, "the new primary is found")
        self.assertEqual(replica("GET", "b"), b"$1\r\n2\r\n")
        self.assertGreaterEqual(proxy.metrics()["redis_role_lookups_total"], 1)

    def test_near_replicas_are_preferred(self):
        primary = self.stack.start(Redis())
        replicas = self.pair(primary)
        proxy = self.stack.start(Proxy(
            primary, "--topology-aware-routing", "--topologies", "here=127.0.0.2/32,here=10.0.0.0/8",
            "--own-ip", "10.1.2.3", reader=names(*replicas)))
        time.sleep(1.5)
        for _ in range(30):
            with Raw(proxy.port) as raw:
                raw("STRLEN", "a")
        self.assertEqual(reads(replicas[0]), 0)
        self.assertGreater(reads(replicas[1]), 20)


if __name__ == "__main__":
    unittest.main()
