"""A page in headless Chromium that says what it saw: a tiny server gives it the page and takes its answer."""
import functools
import http.server
import json
import pathlib
import queue
import shutil
import subprocess
import tempfile
import threading
import urllib.parse

from support.clips import CACHE

PAGES = pathlib.Path(__file__).parent / "player"
HLS = CACHE.parent / "hls/hls.min.js"  # deploy/setup puts it there
OPTIONS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
           "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
           "--autoplay-policy=no-user-gesture-required", "--mute-audio", "--no-proxy-server"]


class Stage:
    """Where pages are served; `origin` is known before anything is played."""

    def __init__(self):
        self.answers = queue.Queue()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, self.answers))
        self.origin = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def play(self, url, speed=1, timeout=120):
        """What player/index.html saw of every level of the playlist."""
        page = f"{self.origin}/index.html?{urllib.parse.urlencode({'url': url, 'speed': speed})}"
        with tempfile.TemporaryDirectory(prefix="mediafleet-browser-", ignore_cleanup_errors=True) as profile:
            command = ["chromium", *OPTIONS, f"--user-data-dir={profile}", page]
            browser = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL, start_new_session=True)
            try:
                answer = self.answers.get(timeout=timeout)
            except queue.Empty:
                raise AssertionError(f"the page said nothing for {timeout} s") from None
            finally:
                browser.terminate()
                browser.wait(20)
        assert "failed" not in answer, answer
        return answer["results"]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Handler(http.server.SimpleHTTPRequestHandler):
    def __init__(self, answers, *arguments):
        self.answers = answers
        super().__init__(*arguments, directory=PAGES)

    def log_message(self, *_):
        pass

    def translate_path(self, path):
        return str(HLS) if path == "/hls.min.js" else super().translate_path(path)

    def do_POST(self):
        self.answers.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()


def installed():
    return shutil.which("chromium") is not None and HLS.exists()
