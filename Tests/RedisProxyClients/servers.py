"""Real servers, the proxy, and a client that shows replies byte for byte."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROXY = os.environ.get("REDIS_PROXY") or str(ROOT / ".build/debug/redis-proxy")
REDIS = os.environ.get("REDIS_SERVER", "redis-server")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def until(condition, what, limit=30):
    """Waits for a condition that raises or is false until it holds."""
    end = time.monotonic() + limit
    while True:
        with contextlib.suppress(OSError, Lost):
            if result := condition():
                return result
        if time.monotonic() > end:
            raise AssertionError(f"not within {limit} s: {what}")
        time.sleep(0.02)


class Lost(Exception):
    """The connection ended."""


class Process:
    def __init__(self, *command, log=None):
        self.log = open(log, "wb") if log else subprocess.DEVNULL
        self.process = subprocess.Popen(
            [str(word) for word in command], stdout=self.log, stderr=self.log)

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait()
        if self.log != subprocess.DEVNULL:
            self.log.close()


class Redis(Process):
    def __init__(self, *arguments, port=None, directory=None, host="127.0.0.1"):
        self.host = host
        self.port = port or free_port()
        self.arguments = arguments
        self.directory = directory or tempfile.mkdtemp()
        super().__init__(
            REDIS, "--port", self.port, "--bind", host, "--save", "", "--dir", self.directory,
            "--enable-debug-command", "yes", "--repl-diskless-sync-delay", "0",
            "--repl-diskless-load", "disabled", *arguments)
        until(lambda: not self("PING").startswith(b"-LOADING"), "redis answers")

    def __call__(self, *words):
        with Raw(self.port, host=self.host) as client:
            return client(*words)

    def pause(self):
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)


class Proxy(Process):
    def __init__(self, primary, *arguments, reader=None, local=None):
        self.port, self.monitor = free_port(), free_port()
        words = [
            PROXY, "--local-address", local or f"127.0.0.1:{self.port}", "--monitor-address",
            f"127.0.0.1:{self.monitor}", "--lameduck", "0s", "--remote-address",
            primary if isinstance(primary, str) else f"127.0.0.1:{primary.port}"]
        if reader:
            words += ["--reader-routing", "--reader-remote-address",
                      reader if isinstance(reader, str) else f"127.0.0.1:{reader.port}"]
        self.path = tempfile.mktemp(suffix=".log")
        super().__init__(*words, *arguments, log=self.path)
        if not local:
            until(lambda: socket.create_connection(("127.0.0.1", self.port)).close() or True,
                  "the proxy listens")

    def memory(self, what="VmRSS"):
        """In KiB."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(what))

    def metrics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.monitor}/metrics") as answer:
            lines = answer.read().decode().splitlines()
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
                for line in lines if not line.startswith("#")}


class Raw:
    """A connection that sends bytes and hands each reply back as the bytes that it is."""

    def __init__(self, port, timeout=10, host="127.0.0.1"):
        self.socket = socket.create_connection((host, port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def __call__(self, *words):
        self.send(*words)
        return self.reply()

    @staticmethod
    def encode(*words):
        words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        return b"*%d\r\n" % len(words) + b"".join(
            b"$%d\r\n%s\r\n" % (len(word), word) for word in words)

    def send(self, *words):
        self.socket.sendall(self.encode(*words))

    def receive(self):
        data = self.socket.recv(1 << 20)
        if not data:
            raise Lost()
        self.buffer += data

    def line(self):
        while (end := self.buffer.find(b"\r\n")) < 0:
            self.receive()
        line, self.buffer = self.buffer[:end + 2], self.buffer[end + 2:]
        return line

    def take(self, count):
        pieces, have = [self.buffer], len(self.buffer)
        while have < count:
            data = self.socket.recv(1 << 20)
            if not data:
                raise Lost()
            pieces.append(data)
            have += len(data)
        data = b"".join(pieces)
        self.buffer = data[count:]
        return data[:count]

    def reply(self):
        line = self.line()
        kind, count = line[:1], line[1:-2]
        if kind in b"$=!":
            return line + (self.take(int(count) + 2) if int(count) >= 0 else b"")
        if kind in b"*~>":
            return line + b"".join(self.reply() for _ in range(max(0, int(count))))
        if kind in b"%":
            return line + b"".join(self.reply() for _ in range(2 * int(count)))
        if kind in b"|":
            return line + b"".join(self.reply() for _ in range(2 * int(count) + 1))
        return line

    def is_closed(self):
        """Whether the other side has closed, once all that it sent is read."""
        try:
            while True:
                self.receive()
        except (Lost, ConnectionError):
            return True
        except TimeoutError:
            return False


class Stack(contextlib.ExitStack):
    """Processes that end with the block."""

    def start(self, process):
        self.callback(process.stop)
        return process

    def replicated(self, replicas=2):
        primary = self.start(Redis())
        others = [self.start(Redis("--replicaof", "127.0.0.1", primary.port))
                  for _ in range(replicas)]
        until(lambda: primary("WAIT", replicas, 100) == b":%d\r\n" % replicas, "replicas follow")
        for other in others:
            until(lambda: b"connected" in other("ROLE"), "the link is up")
        return primary, others
