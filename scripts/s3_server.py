"""moto's server for S3 on 127.0.0.1, with what it lacks for tests put in front of it:

- every request's signature is verified, by botocore and from the request as it came in;
- requests on one object run one after the other, since moto checks a condition and then writes;
- CompleteMultipartUpload honours If-Match;
- keys may have line breaks;
- HTTP/1.1 connections are kept, which moto's own server does not.

Usage: s3_server.py PORT ACCESS_KEY_ID SECRET_ACCESS_KEY [SESSION_TOKEN]
Prints "ready" when it serves.
"""

import sys
import threading
from collections import defaultdict
from urllib.parse import parse_qsl, unquote

from cheroot.server import HTTPConnection, HTTPRequest
from cheroot.wsgi import Gateway_10, Server
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.core import DEFAULT_ACCOUNT_ID
from moto.moto_server import werkzeug_app
from moto.moto_server.utilities import RegexConverter
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import s3_backends

PORT = int(sys.argv[1])
CREDENTIALS = Credentials(sys.argv[2], sys.argv[3], sys.argv[4] if len(sys.argv) > 4 else None)


def refusal(status, code, message):
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    ).encode()
    return status, body


def field(text, name):
    """The value of one of the comma-separated fields of an Authorization header."""
    for part in text.split(None, 1)[-1].split(","):
        key, _, value = part.strip().partition("=")
        if key == name:
            return value
    return ""


def fault(environ):
    """What is wrong with a request's signature; None if nothing is."""
    authorization = environ.get("HTTP_AUTHORIZATION", "")
    if not authorization.startswith("AWS4-HMAC-SHA256 "):
        return refusal("403 Forbidden", "AccessDenied", "no signature")
    scope = field(authorization, "Credential").split("/")
    if len(scope) != 5 or scope[0] != CREDENTIALS.access_key:
        return refusal("403 Forbidden", "InvalidAccessKeyId", "no such key")
    if (CREDENTIALS.token or "") != environ.get("HTTP_X_AMZ_SECURITY_TOKEN", ""):
        return refusal("400 Bad Request", "InvalidToken", "no such session")
    signed = field(authorization, "SignedHeaders").split(";")
    headers = {}
    for name in signed:
        variable = name.upper().replace("-", "_")
        if variable not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            variable = "HTTP_" + variable
        # WSGI hands fields on as Latin-1.
        headers[name] = environ.get(variable, "").encode("latin-1").decode("utf-8")
    required = ["host", "x-amz-content-sha256", "x-amz-date"]
    unsigned = [
        name[5:].lower().replace("_", "-")
        for name in environ
        if name.startswith("HTTP_X_AMZ_")
    ]
    for name in required + unsigned:
        if name not in signed:
            return refusal("403 Forbidden", "AccessDenied", f"{name} is not signed")
    request = AWSRequest(
        method=environ["REQUEST_METHOD"],
        url=f"http://{headers['host']}{environ['RAW_URI']}",
        headers=headers,
    )
    request.context["timestamp"] = headers["x-amz-date"]
    # The last words of a scope are the region, the service and aws4_request.
    signer = S3SigV4Auth(CREDENTIALS, scope[3], scope[2])
    canonical = signer.canonical_request(request)
    expected = signer.signature(signer.string_to_sign(request, canonical), request)
    if field(authorization, "Signature") != expected:
        return refusal("403 Forbidden", "SignatureDoesNotMatch", "computed another signature")
    return None


class Front:
    """The checks and locks around moto's application."""

    def __init__(self, application):
        self.application = application
        self.locks = defaultdict(threading.Lock)
        self.guard = threading.Lock()

    def lock(self, environ):
        with self.guard:
            return self.locks[unquote(environ["RAW_URI"].split("?")[0])]

    def __call__(self, environ, start_response):
        environ.setdefault("RAW_URI", environ.get("REQUEST_URI", ""))
        wrong = fault(environ)
        if wrong:
            # The rest of the request would be taken for the next one.
            environ["wsgi.input"].read()
            return self.refuse(start_response, environ, *wrong)
        query = dict(parse_qsl(environ["QUERY_STRING"], keep_blank_values=True))
        if environ["REQUEST_METHOD"] in ("GET", "HEAD") or "partNumber" in query:
            return self.application(environ, start_response)
        with self.lock(environ):
            condition = environ.get("HTTP_IF_MATCH")
            if environ["REQUEST_METHOD"] == "POST" and "uploadId" in query and condition:
                found = self.etag(environ)
                if found != condition:
                    environ["wsgi.input"].read()
                    status = "404 Not Found" if found is None else "412 Precondition Failed"
                    code = "NoSuchKey" if found is None else "PreconditionFailed"
                    return self.refuse(start_response, environ, *refusal(status, code, "if-match"))
            # Made whole while the lock is held.
            return list(self.application(environ, start_response))

    @staticmethod
    def refuse(start_response, environ, status, body):
        start_response(
            status,
            [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))],
        )
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def etag(self, environ):
        _, bucket, key = unquote(environ["RAW_URI"].split("?")[0]).split("/", 2)
        for account in s3_backends.values():
            for backend in account.values():
                if bucket in backend.buckets:
                    found = backend.get_object(bucket, key)
                    return found.etag if found else None
        return None


class Request(HTTPRequest):
    def read_request_line(self):
        found = super().read_request_line()
        # The path as it was sent and signed: the server resolves it.
        self.raw_uri = getattr(self, "uri", b"")
        return found


class Gateway(Gateway_10):
    def get_environ(self):
        environ = super().get_environ()
        environ["RAW_URI"] = self.req.raw_uri.decode("latin-1")
        return environ


# Keys may have line breaks, which a dot in a pattern leaves out.
class AnyCharacter(RegexConverter):
    def __init__(self, url_map, *items):
        super().__init__(url_map, *[item.replace(".+", r"[\s\S]+") for item in items])


werkzeug_app.RegexConverter = AnyCharacter
# Empty buckets, one for each test that asks.
for number in range(500):
    s3_backends[DEFAULT_ACCOUNT_ID]["aws"].create_bucket(f"bucket-{number}", "us-east-1")
HTTPConnection.RequestHandlerClass = Request
server = Server(
    ("127.0.0.1", PORT), Front(DomainDispatcherApplication(create_backend_app)), numthreads=40
)
server.gateway = Gateway
server.prepare()
print("ready", flush=True)
server.serve()
