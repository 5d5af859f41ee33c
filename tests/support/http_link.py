"""One connection of an HTTP-aware proxy: request after request, passed on byte by byte or dealt with otherwise."""
import select
import urllib.parse

from support.proxy import CHUNK, Link

HEAD_BYTES = 64 << 10


class Ended(Exception):
    """The other side has closed the connection."""


class Half:
    """What one end has sent and nobody has taken yet."""

    def __init__(self, connection):
        self.connection, self.buffer = connection, b""

    def more(self):
        data = self.connection.recv(CHUNK)
        if not data:
            raise Ended
        self.buffer += data

    def head(self):
        """The first line and all headers, with the empty line."""
        while b"\r\n\r\n" not in self.buffer:
            if len(self.buffer) > HEAD_BYTES:
                raise Ended
            self.more()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        return head + b"\r\n\r\n"

    def some(self, most):
        """At least one byte, at most so many."""
        if not self.buffer:
            self.more()
        data, self.buffer = self.buffer[:most], self.buffer[most:]
        return data

    def line(self):
        while b"\r\n" not in self.buffer:
            self.more()
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line + b"\r\n"


def headers_of(head):
    pairs = (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:] if line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


class Request:
    """A request as it came: its head unchanged, and what that says. status: of the answer, once there is one."""

    def __init__(self, head):
        self.head = head
        self.method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        path, _, query = target.partition("?")
        self.path = urllib.parse.unquote(path)
        self.query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        self.headers = headers_of(head)
        self.length = int(self.headers.get("content-length", 0))
        self.status = None


class Answer:
    """An answer: head and body as they go to the client."""

    def __init__(self, status, body=b"", headers=None, *, reason="Scripted"):
        self.status, self.body, self.reason = status, body, reason
        self.headers = dict(headers or {})

    def data(self, method):
        headers = {"Content-Length": str(len(self.body))} | self.headers
        lines = [f"HTTP/1.1 {self.status} {self.reason}", *(f"{name}: {value}" for name, value in headers.items())]
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        return head if method == "HEAD" else head + self.body


class HttpLink(Link):
    """Both directions in one thread, since nobody pipelines. A subclass says what happens to a request: handle()."""

    def __init__(self, proxy, client, upstream):
        super().__init__(proxy, client, upstream)
        self.client, self.upstream = Half(client), Half(upstream)

    def parse(self, head):
        return Request(head)

    def directions(self):
        return [None]

    def pump(self, _):
        try:
            while self.wait_request():
                request = self.parse(self.client.head())
                self.handle(request)
                if request.headers.get("connection", "").lower() == "close":
                    break
        except (Ended, OSError, ValueError):
            pass
        finally:
            self.finish()

    def finish(self):
        self.open = False
        for half in (self.client, self.upstream):
            half.connection.close()
        self.forget()

    def handle(self, request):
        self.send_up(request.head)
        self.pass_body(request)
        self.pass_answer(request)

    def wait_request(self):
        """False if the service ends the connection before the client asks again."""
        if self.client.buffer:
            return True
        ready, _, _ = select.select([self.client.connection, self.upstream.connection], [], [])
        return self.client.connection in ready

    # --- pieces for handle() ---

    def send(self, direction, data):
        target = self.upstream if direction == "up" else self.client
        if not self.proxy.wait_turn(direction, self):
            raise Ended
        cut = self.proxy.find_cut(direction, data, self.totals[direction])
        if cut:
            self.carry_out(cut, direction, data, target.connection)
            raise Ended
        target.connection.sendall(data)
        self.totals[direction] += len(data)
        self.proxy.passed[direction] += len(data)

    def send_up(self, data):
        self.send("up", data)

    def send_down(self, data):
        self.send("down", data)

    def body_pieces(self, request, most=None):
        left = request.length if most is None else min(request.length, most)
        while left > 0:
            piece = self.client.some(min(left, CHUNK))
            left -= len(piece)
            yield piece

    def read_body(self, request):
        return b"".join(self.body_pieces(request))

    def pass_body(self, request, change=None):
        """Until its end, or until the service answers without having read it all. change(piece, offset) -> piece."""
        at = 0
        for piece in self.body_pieces(request):
            self.send_up(change(piece, at) if change else piece)
            at += len(piece)
            if at < request.length and select.select([self.upstream.connection], [], [], 0)[0]:
                request.headers["connection"] = "close"  # the rest of the body is in the way of the next request
                return

    def pass_answer(self, request):
        head = self.upstream.head()
        request.status = int(head.split(b" ", 2)[1])
        self.send_down(head)
        for piece in self.answer_pieces(request, head):
            self.send_down(piece)

    def read_answer(self, request):
        """The service's whole answer, to be changed or lost."""
        head = self.upstream.head()
        request.status = int(head.split(b" ", 2)[1])
        raw = headers_of(head)
        if "chunked" in raw.pop("transfer-encoding", ""):
            body = b"".join(self.chunks(raw=False))
        else:
            body = b"".join(self.answer_pieces(request, head))
        length = raw.pop("content-length", None)
        if request.method == "HEAD" and length is not None:
            raw["Content-Length"] = length
        return Answer(request.status, body, raw)

    def answer_pieces(self, request, head):
        headers = headers_of(head)
        if request.method == "HEAD" or request.status in (204, 304):
            return
        if "chunked" in headers.get("transfer-encoding", ""):
            yield from self.chunks(raw=True)
            return
        left = int(headers.get("content-length", 0))
        while left > 0:
            piece = self.upstream.some(min(left, CHUNK))
            left -= len(piece)
            yield piece

    def chunks(self, raw):
        """A chunked body, as it is or only its content."""
        while True:
            line = self.upstream.line()
            left = int(line.split(b";")[0], 16)
            if raw:
                yield line
            while left > 0:
                piece = self.upstream.some(min(left, CHUNK))
                left -= len(piece)
                yield piece
            end = self.upstream.line()
            if raw:
                yield end
            if line.split(b";")[0].strip(b"0\r\n ") == b"":
                return
