"""The server that sources are downloaded from: nginx with a configuration of its own, one process, from memory mostly."""
import contextlib
import os
import subprocess
import time
import urllib.request

CONFIGURATION = """
daemon off; master_process off; pid {state}/nginx.pid; error_log {state}/nginx.log warn;
events {{ worker_connections 1024; }}
http {{
    access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000; types {{ video/mp4 mp4; image/jpeg jpg; }}
    client_body_temp_path {state}; proxy_temp_path {state}; fastcgi_temp_path {state}; uwsgi_temp_path {state};
    scgi_temp_path {state};
    server {{ listen 127.0.0.1:{port}; root {root}; location = /up {{ return 204; }} }}
}}
"""


@contextlib.contextmanager
def source_server(root, port, state):
    """Serves the files below root; gives the process, whose CPU the services' is."""
    state.mkdir(parents=True, exist_ok=True)
    (state / "nginx.conf").write_text(CONFIGURATION.format(root=root, port=port, state=state))
    environment = {"PATH": os.environ["PATH"] + ":/usr/sbin"}
    process = subprocess.Popen(["nginx", "-p", state, "-c", state / "nginx.conf", "-e", state / "nginx.log"], env=environment,
                               stdin=subprocess.DEVNULL)
    try:
        wait_up(process, f"http://127.0.0.1:{port}/up")
        yield process
    finally:
        process.terminate()
        process.wait(20)


def wait_up(process, url):
    end = time.monotonic() + 20
    while True:
        try:
            return urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            assert time.monotonic() < end and process.poll() is None, "nginx does not start"
            time.sleep(0.05)
