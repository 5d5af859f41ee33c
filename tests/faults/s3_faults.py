"""A proxy before the S3 server that knows requests from each other and answers, delays or spoils those that a rule names.

    rule = rig.s3.rule(SLOW_DOWN, op="part", chance=0.3)      # or nth=2, part=2, key="/hls/", times=1 …
    …; assert rule.fired

Requests are passed on unchanged, so that their signatures hold. heal() forgets all rules and lets go of what they hold.
"""
import dataclasses
import hashlib
import random
import threading
import time
import urllib.parse

from support.http_link import Answer, HttpLink, Request
from support.proxy import Proxy

XML = {"Content-Type": "application/xml"}


class S3Proxy(Proxy):
    """Proxy's interface (support/proxy.py), and rules about requests. `requests`: what came, in order, with its status."""

    def __init__(self, host, port):
        self.rules, self.requests = [], []
        super().__init__(host, port)

    def rule(self, action, **match):
        """action: one of those below; match: see Rule. The first rule that matches and acts is the one. Returns it."""
        made = Rule(action, **match)
        with self.changed:
            self.rules.append(made)
        return made

    def heal(self):
        with self.changed:
            rules, self.rules = self.rules, []
        for rule in rules:
            rule.end()
        super().heal()

    def asked(self, op=None, key="", **match):
        """The requests so far of that operation, with that text in their key."""
        return [one for one in list(self.requests) if (op is None or one.op == op) and key in one.key and
                all(getattr(one, name) == value for name, value in match.items())]

    def link(self, client, upstream):
        return S3Link(self, client, upstream)

    def find_rule(self, request):
        with self.changed:
            self.requests.append(request)
            return next((rule for rule in self.rules if rule.wants(request)), None)


class S3Request(Request):
    """op: put, copy, begin, part, complete, abort, head, get, delete (DeleteObjects), delete-one, list, uploads, or
    create-bucket and head-bucket. key: without the bucket. part: its number."""

    def __init__(self, head):
        super().__init__(head)
        _, _, self.key = self.path.lstrip("/").partition("/")
        self.part = int(self.query.get("partNumber", 0))
        self.op = self.operation()
        self.at = time.monotonic()

    def operation(self):
        query, method = self.query, self.method
        if not self.key:
            named = {"GET": "uploads" if "uploads" in query else "list", "POST": "delete", "PUT": "create-bucket"}
            return named.get(method, "head-bucket")
        if method == "POST":
            return "begin" if "uploads" in query else "complete"
        if method == "DELETE":
            return "abort" if "uploadId" in query else "delete-one"
        if method == "PUT":
            return "part" if self.part else "copy" if "x-amz-copy-source" in self.headers else "put"
        return method.lower()

    def __repr__(self):
        return f"{self.op} {self.key} {self.part or ''} {self.length} → {self.status}"


class Rule:
    """Which requests an action meets, and how often it did.

    op, method    one or several; key: a text in the key; part: its number
    nth           of the requests that match so far, from 1: a number or several; times: at most so often
    chance        0 … 1, decided by a generator of this seed
    when          a function of the request
    seen, fired   how many matched, how many were acted upon
    """

    def __init__(self, action, *, op=None, method=None, key="", part=None, nth=None, times=None, chance=1.0, seed=1,
                 when=None):
        self.action, self.key, self.part, self.times, self.chance, self.when = action, key, part, times, chance, when
        self.ops, self.methods, self.nth = several(op), several(method), several(nth)
        self.random = random.Random(seed)
        self.seen = self.fired = 0
        self.released = threading.Event()

    def wants(self, request):
        if (self.ops and request.op not in self.ops or self.methods and request.method not in self.methods or
                self.key not in request.key or self.part not in (None, request.part) or
                self.when and not self.when(request)):
            return False
        self.seen += 1
        if (self.nth and self.seen not in self.nth or self.times is not None and self.fired >= self.times or
                self.random.random() >= self.chance):
            return False
        self.fired += 1
        return True

    def release(self):
        """Lets go of what `stall` or `late` hold."""
        self.released.set()

    def end(self):
        self.times = 0
        self.release()


def several(value):
    return value if value is None or isinstance(value, (tuple, list, set, range)) else (value,)


class S3Link(HttpLink):
    def parse(self, head):
        return S3Request(head)

    def handle(self, request):
        rule = self.proxy.find_rule(request)
        if rule is None:
            super().handle(request)
            return
        self.proxy.fired[type(rule.action).__name__.lower()] += 1
        rule.action.act(self, request, rule)

    def answer(self, request, answer):
        request.status = answer.status
        self.send_down(answer.data(request.method))


# --- actions ---


@dataclasses.dataclass
class Say:
    """The server never sees the request: this is the answer. body may be a function of (request, its body)."""

    status: int
    body: object = b""
    headers: dict = dataclasses.field(default_factory=dict)

    def act(self, link, request, _):
        sent = link.read_body(request)
        body = self.body(request, sent) if callable(self.body) else self.body
        link.answer(request, Answer(self.status, body, (XML if body else {}) | self.headers))


def error_body(code, message="said by the test"):
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'.encode()


def error(status, code, **headers):
    return Say(status, error_body(code), headers)


INTERNAL = error(500, "InternalError")
UNAVAILABLE = error(503, "ServiceUnavailable")
SLOW_DOWN = error(503, "SlowDown")
DENIED = error(403, "AccessDenied")
BAD_SIGNATURE = error(403, "SignatureDoesNotMatch")
NO_BUCKET = error(404, "NoSuchBucket")
ERROR_IN_200 = error(200, "InternalError")  # Complete, Copy and DeleteObjects may end so


@dataclasses.dataclass
class Stall:
    """Reads no further than byte `after` of the request's body, until the rule is released; then resets the connection."""

    after: int = 0

    def act(self, link, request, rule):
        link.send_up(request.head)
        for piece in link.body_pieces(request, self.after):
            link.send_up(piece)
        rule.released.wait()
        link.reset()


@dataclasses.dataclass
class Reset:
    """Passes so many bytes of the body on, then resets both ends."""

    after: int = 0

    def act(self, link, request, _):
        link.send_up(request.head)
        for piece in link.body_pieces(request, self.after):
            link.send_up(piece)
        link.reset()


class Lose:
    """The server does it, its answer is lost."""

    def act(self, link, request, _):
        link.send_up(request.head)
        link.pass_body(request)
        link.read_answer(request)
        link.reset()


class Late:
    """The whole request arrives, but reaches the server only when the rule is released, whether or not its sender still
    waits. done: set after that, with the server's status in request.status."""

    def __init__(self):
        self.done = threading.Event()

    def act(self, link, request, rule):
        body = link.read_body(request)
        rule.released.wait()
        try:
            link.send_up(request.head)
            link.send_up(body)
            answer = link.read_answer(request)
        finally:
            self.done.set()
        link.send_down(answer.data(request.method))


@dataclasses.dataclass
class Flip:
    """One byte of the body is another one when it arrives."""

    at: int = 0

    def act(self, link, request, _):
        def change(piece, offset):
            here = self.at - offset
            if not 0 <= here < len(piece):
                return piece
            return piece[:here] + bytes([piece[here] ^ 1]) + piece[here + 1:]

        link.send_up(request.head)
        link.pass_body(request, change)
        link.pass_answer(request)


@dataclasses.dataclass
class Edit:
    """The server does it; what it answered is changed by edit(answer, request) on its way back."""

    edit: object

    def act(self, link, request, _):
        link.send_up(request.head)
        link.pass_body(request)
        answer = link.read_answer(request)
        self.edit(answer, request)
        link.answer(request, answer)


def wrong_etag(answer, _):
    answer.headers = {name: value for name, value in answer.headers.items() if name.lower() != "etag"}
    answer.headers["ETag"] = f'"{hashlib.md5(b"something else").hexdigest()}"'


def half_body(answer, _):
    answer.body = answer.body[:len(answer.body) // 2]


def say_error(answer, _):
    answer.status, answer.body, answer.headers = 200, error_body("InternalError"), dict(XML)


WRONG_ETAG = Edit(wrong_etag)
TRUNCATED_XML = Edit(half_body)
DONE_BUT_ERROR_IN_200 = Edit(say_error)


@dataclasses.dataclass
class Hook:
    """Calls hook(request) before the request is passed on, after its answer came ("answer"), or once that was passed on."""

    hook: object
    when: str = "passed"

    def act(self, link, request, _):
        if self.when == "before":
            self.hook(request)
        link.send_up(request.head)
        link.pass_body(request)
        if self.when == "answer":
            answer = link.read_answer(request)
            self.hook(request)
            link.send_down(answer.data(request.method))
            return
        link.pass_answer(request)
        if self.when == "passed":
            self.hook(request)


def keys_in_delete(body):
    """The keys that a DeleteObjects request names."""
    return [urllib.parse.unquote(part.split(b"</Key>")[0].decode()) for part in body.split(b"<Key>")[1:]]


def refuse_keys(text, code="InternalError"):
    """DeleteObjects' answer 200 whose body says that the keys with that text could not be deleted: with that code. Nothing was:
    the others have been too many at once."""
    def body(_, sent):
        errors = "".join(f"<Error><Key>{key}</Key><Code>{code if text in key else 'SlowDown'}</Code><Message>no</Message></Error>"
                         for key in keys_in_delete(sent))
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<DeleteResult>{errors}</DeleteResult>'.encode()
    return Say(200, body)
