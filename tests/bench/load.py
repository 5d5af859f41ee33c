"""Load: by wrk as much as goes, by bench-rate at a constant rate."""
import collections
import json
import pathlib
import re
import subprocess
import urllib.parse

Load = collections.namedtuple("Load", "count per_s")
PATIENCE_S = 10  # of rate.c, for the last answers


def write_script(file, method, headers, body=None):
    """The Lua script that makes wrk ask so; returns its path."""
    lines = [f"wrk.method = {json.dumps(method)}"]
    lines += [f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}" for name, value in headers.items()]
    if body is not None:
        lines += [f"wrk.body = {json.dumps(body)}", 'wrk.headers["Content-Type"] = "application/json"']
    file.write_text("\n".join(lines) + "\n")
    return file


def load(url, script, connections, seconds):
    """Only answers below 400 count: a single other one, or a broken connection, ends the measurement."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "-s", script, url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=True)
    assert not re.search(r"Non-2xx|Socket errors", done.stdout), f"{url}:\n{done.stdout}"
    return Load(int(re.search(r"(\d+) requests in", done.stdout).group(1)),
                float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout).group(1)))


def request(url, headers, body):
    """A POST as it goes over the wire, and the port that it goes to."""
    parts = urllib.parse.urlsplit(url)
    lines = [f"POST {parts.path} HTTP/1.1", f"Host: {parts.netloc}", "Content-Type: application/json", f"Content-Length: {len(body)}",
             *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines) + "\r\n\r\n" + body, parts.port


def constant_rate(build, url, headers, body, *, rate, seconds, connections):
    """What bench-rate tells: latencies from when a request was due, those of missing answers included."""
    wire, port = request(url, headers, body)
    command = [pathlib.Path(build) / "bin/bench-rate", str(port), str(rate), str(seconds), str(connections)]
    done = subprocess.run(command, input=wire, capture_output=True, text=True, timeout=seconds + PATIENCE_S + 60)
    assert done.returncode == 0, f"{url}: {done.stderr}"
    return json.loads(done.stdout)


def answered(told):
    return max(told["due"] - told["errors"], 1)
