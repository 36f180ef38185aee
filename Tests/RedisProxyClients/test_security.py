"""TLS on both sides, logins that the proxy brings, and addresses."""

import pathlib
import socket
import ssl
import subprocess
import tempfile
import unittest

from servers import Proxy, Raw, Redis, Stack, free_port, until


def make_certificates(directory):
    """A certificate for 127.0.0.1 that is its own authority."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", f"{directory}/tls.key",
         "-out", f"{directory}/tls.crt"], check=True, stderr=subprocess.DEVNULL)


class Secure(Raw):
    def __init__(self, port, authority):
        super().__init__(port)
        context = ssl.create_default_context(cafile=authority)
        self.socket = context.wrap_socket(self.socket, server_hostname="localhost")


class Security(unittest.TestCase):
    def setUp(self):
        self.stack = Stack()
        self.addCleanup(self.stack.close)

    def test_tls_on_both_sides(self):
        directory = tempfile.mkdtemp()
        make_certificates(directory)
        certificate = f"{directory}/tls.crt"
        port = free_port()
        redis = self.stack.start(Redis(
            "--tls-port", port, "--tls-cert-file", certificate, "--tls-key-file",
            f"{directory}/tls.key", "--tls-ca-cert-file", certificate, "--tls-auth-clients", "no"))
        proxy = self.stack.start(Proxy(
            f"localhost:{port}", "--remote-tls", "--remote-tls-ca-file", certificate,
            "--local-tls-cert-dir", directory))
        client = Secure(proxy.port, certificate)
        self.assertEqual(client("SET", "a", "x" * 1_000_000), b"+OK\r\n")
        self.assertEqual(len(client("GET", "a")), 1_000_000 + 12)
        self.assertEqual(redis("STRLEN", "a"), b":1000000\r\n")
        client.send("MULTI")
        client.send("STRLEN", "a")
        client.send("EXEC")
        self.assertEqual([client.reply() for _ in range(3)][2], b"*1\r\n:1000000\r\n")

    def test_a_certificate_of_somebody_else_is_refused(self):
        directory, other = tempfile.mkdtemp(), tempfile.mkdtemp()
        make_certificates(directory)
        make_certificates(other)
        port = free_port()
        self.stack.start(Redis(
            "--tls-port", port, "--tls-cert-file", f"{directory}/tls.crt", "--tls-key-file",
            f"{directory}/tls.key", "--tls-ca-cert-file", f"{directory}/tls.crt",
            "--tls-auth-clients", "no"))
        proxy = self.stack.start(Proxy(
            f"127.0.0.1:{port}", "--remote-tls", "--remote-tls-ca-file", f"{other}/tls.crt",
            "--connect-timeout", "1s"))
        with Raw(proxy.port) as raw:
            self.assertIn(b"was not sent", raw("GET", "a"))

    def test_the_proxy_logs_in(self):
        redis = self.stack.start(Redis())
        redis("ACL", "SETUSER", "app", "on", ">top-secret", "~*", "+@all")
        redis("ACL", "SETUSER", "default", "off")
        path = tempfile.mktemp()
        pathlib.Path(path).write_text("top-secret\n")
        proxy = self.stack.start(
            Proxy(redis, "--remote-username", "app", "--remote-password-file", path))
        with Raw(proxy.port) as raw:
            self.assertEqual(raw("ACL", "WHOAMI"), b"$3\r\napp\r\n")
            raw("MULTI")
            self.assertEqual(raw("RESET"), b"+RESET\r\n")
            self.assertEqual(raw("ACL", "WHOAMI"), b"$3\r\napp\r\n")
        pathlib.Path(path).write_text("wrong-secret\n")
        proxy = self.stack.start(
            Proxy(redis, "--remote-username", "app", "--remote-password-file", path))
        with Raw(proxy.port) as raw:
            self.assertIn(b"WRONGPASS", raw("GET", "a"))
        log = pathlib.Path(proxy.path).read_text()
        self.assertIn("WRONGPASS", log)
        self.assertNotIn("secret", log)

    def test_a_unix_socket(self):
        redis = self.stack.start(Redis())
        path = tempfile.mktemp()
        self.stack.start(Proxy(redis, local=f"unix:{path}"))
        until(lambda: pathlib.Path(path).exists(), "the socket is there")
        client = socket.socket(socket.AF_UNIX)
        client.connect(path)
        client.sendall(b"PING\r\n")
        self.assertEqual(client.recv(100), b"+PONG\r\n")
        client.close()


if __name__ == "__main__":
    unittest.main()
