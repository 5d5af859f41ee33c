"""Serves one file on a loopback port, with ranges, until it is stopped: python3 serve_file.py FILE PORT"""
import http.server
import mimetypes
import os
import re
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        with open(sys.argv[1], "rb") as file:
            size = os.fstat(file.fileno()).st_size
            first, last = self.send_head(size)
            file.seek(first)
            left = last + 1 - first
            while self.command == "GET" and left > 0:
                piece = file.read(min(left, 1 << 18))
                if not piece:
                    break
                self.wfile.write(piece)
                left -= len(piece)

    do_HEAD = do_GET

    def send_head(self, size):
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first, last = 0, size - 1
        if wanted and int(wanted[1]) < size:
            first, last = int(wanted[1]), min(int(wanted[2] or last), last)
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        else:
            self.send_response(200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Type", mimetypes.guess_type(sys.argv[1])[0] or "application/octet-stream")
        self.send_header("Content-Length", str(last + 1 - first))
        self.end_headers()
        return first, last


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
