"""Load by wrk: one thread, so many connections, a script that says what is asked."""
import collections
import json
import re
import subprocess

Load = collections.namedtuple("Load", "count per_s")


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
