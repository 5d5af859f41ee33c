"""A web server for download tests whose every path behaves as it was told to."""
import gzip
import http.server
import socket
import threading
import time
import uuid

CHUNK = 64 << 10


class Resource:
    """What a path answers. All behaviours can be combined.

    body          bytes to serve; file: a path to read them from
    status        of the answer, or a list: one for each request, the last one for all that follow
    ranges        whether Range (with If-Range) is honoured; etag, last_modified: sent if set
    cut           closes the connection after so many bytes of the body; a list: one for each request, None for whole
    length        the Content-Length to claim; None for the true one, "none" to send none and close at the end
    rate          bytes a second; a list: one for each request, None for no bound
    delay         seconds before the head; stall: (bytes, seconds): a pause in the body
    endless       sends the body and then zeros until the other side has enough
    gzip          sends the body compressed, with Content-Encoding
    content_type, headers, location
    """

    def __init__(self, body=b"", *, file=None, status=200, ranges=True, etag='"1"', last_modified=None, cut=None,
                 length=None, rate=None, delay=0, stall=None, endless=False, compress=False,
                 content_type="video/mp4", headers=None, location=None):
        self.file, self.status, self.ranges, self.etag, self.last_modified = file, status, ranges, etag, last_modified
        self.cut, self.length, self.rate, self.delay, self.stall = cut, length, rate, delay, stall
        self.endless, self.content_type, self.location = endless, content_type, location
        self.headers = dict(headers or {})
        self.body = gzip.compress(body) if compress else body
        if compress:
            self.headers["Content-Encoding"] = "gzip"
            self.ranges = False
        self.requests = []  # headers of each request, in order
        self.sent = []  # bytes of the body written for each request
        self.later = {}  # what changes with the nth request

    def then(self, number, **attributes):
        """From that request on (the first is 0) these attributes are as given."""
        self.later[number] = attributes

    @staticmethod
    def nth(setting, number):
        """Of a setting that may be a list, one for each request."""
        return setting[min(number, len(setting) - 1)] if isinstance(setting, list) else setting

    def content(self):
        if self.file is None:
            return self.body
        with open(self.file, "rb") as file:
            return file.read()


class Source:
    """Serves resources on a loopback port; one thread a connection."""

    def __init__(self, port=0):
        self.resources = {}
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler_of(self))
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def serve(self, body=b"", name="clip.mp4", **behaviour):
        """Adds a resource under a fresh path; returns its URL. Its Resource is at .resource(url)."""
        path = f"/{uuid.uuid4().hex[:12]}/{name}"
        self.resources[path] = Resource(body, **behaviour)
        return self.url + path

    def serve_file(self, file, name=None, **behaviour):
        return self.serve(file=file, name=name or "clip.mp4", **behaviour)

    def resource(self, url):
        return self.resources[url.removeprefix(self.url)]

    def requests(self, url):
        """Headers of the requests that came for that URL."""
        return self.resource(url).requests

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def handler_of(source):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_GET(self):
            resource = source.resources.get(self.path.partition("?")[0])
            if resource is None:
                self.send_error(404)
                return
            resource.requests.append(dict(self.headers))
            resource.sent.append(0)
            vars(resource).update(resource.later.get(len(resource.requests) - 1, {}))
            try:
                answer(self, resource, len(resource.requests) - 1)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        do_HEAD = do_GET

    return Handler


def answer(handler, resource, number):
    time.sleep(resource.delay)
    status = resource.nth(resource.status, number)
    content = resource.content()
    first, last = 0, len(content) - 1
    wanted = requested_range(handler, resource, len(content)) if status == 200 else None
    if wanted == "unsatisfiable":
        status, content = 416, b""
    elif wanted:
        status, (first, last) = 206, wanted
    part = content[first:last + 1]
    handler.send_response(status)
    for name, value in head_of(resource, status, first, last, len(content)).items():
        handler.send_header(name, value)
    if resource.endless or resource.length == "none":
        handler.close_connection = True
        handler.send_header("Connection", "close")
    else:
        handler.send_header("Content-Length", str(len(part) if resource.length is None else resource.length))
    handler.end_headers()
    if handler.command != "HEAD":
        send_body(handler, resource, part, number)


def head_of(resource, status, first, last, length):
    head = {"Content-Type": resource.content_type, "Accept-Ranges": "bytes" if resource.ranges else "none",
            "ETag": resource.etag, "Last-Modified": resource.last_modified, "Location": resource.location}
    if status == 206:
        head["Content-Range"] = f"bytes {first}-{last}/{length}"
    elif status == 416:
        head["Content-Range"] = f"bytes */{length}"
    return {name: value for name, value in (head | resource.headers).items() if value is not None}


def requested_range(handler, resource, length):
    """(first, last), "unsatisfiable", or None for the whole."""
    text = handler.headers.get("Range", "")
    condition = handler.headers.get("If-Range")
    if not resource.ranges or not text.startswith("bytes=") or "," in text:
        return None
    if condition is not None and condition not in (resource.etag, resource.last_modified):
        return None
    start, _, end = text[len("bytes="):].partition("-")
    first = int(start) if start else max(0, length - int(end))
    last = min(int(end), length - 1) if start and end else length - 1
    return (first, last) if first <= last else "unsatisfiable"


def send_body(handler, resource, part, number):
    cut, rate = resource.nth(resource.cut, number), resource.nth(resource.rate, number)
    whole, part = len(part), part if cut is None else part[:cut]
    step = CHUNK if rate is None else max(1, rate // 20)
    stall_at, stall_s = resource.stall or (None, 0)
    for at in range(0, len(part), step):
        if stall_at is not None and at + step > stall_at:
            stall_at = time.sleep(stall_s)
        handler.wfile.write(part[at:at + step])
        resource.sent[number] += len(part[at:at + step])
        if rate is not None:
            handler.wfile.flush()
            time.sleep(step / rate)
    while resource.endless:
        handler.wfile.write(bytes(CHUNK))
        resource.sent[number] += CHUNK
    if len(part) < whole or resource.length not in (None, "none", whole):
        cut_connection(handler)


def cut_connection(handler):
    """Ends the connection now, whatever the head promised."""
    handler.wfile.flush()
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)
