"""The bucket's own rules: shown, set, and those of others kept; where there are none, that is said."""
import http.server
import json
import subprocess
import threading

import boto3
import botocore.config
import pytest


class Rules(http.server.BaseHTTPRequestHandler):
    """A bucket that has nothing but rules. What is put is given back as it came, as S3 does."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if "lifecycle" not in self.path:
            return self.say(404, b"<Error><Code>NoSuchKey</Code></Error>")
        if self.server.rules is None:
            return self.say(404, b"<Error><Code>NoSuchLifecycleConfiguration</Code></Error>")
        return self.say(200, self.server.rules)

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if "lifecycle" not in self.path or "Content-MD5" not in self.headers and "x-amz-checksum-crc32" not in self.headers:
            return self.say(400, b"<Error><Code>InvalidRequest</Code></Error>")
        self.server.puts += 1
        self.server.rules = body
        return self.say(200, b"")

    def say(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def bucket():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Rules)
    server.rules, server.puts = None, 0
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def lifecycle(fleet, *arguments, code=0, key=None):
    env = {"MEDIAFLEET_URL": fleet.url, "MEDIAFLEET_API_KEY": key or fleet.admin_key}
    done = subprocess.run([fleet.bin / "mediafleetctl", "storage", "lifecycle", *arguments], env=env, capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done


def test_rules_of_others_are_kept(make_fleet, bucket):
    """Somebody else's client sets a rule; ours are added once; that client reads all three."""
    url = f"http://127.0.0.1:{bucket.server_port}"
    fleet = make_fleet("rules", settings={"R2_ENABLED": "true", "R2_ENDPOINT_URL": url, "R2_BUCKET_NAME": "media",
                                          "R2_ACCESS_KEY_ID": "key", "R2_SECRET_ACCESS_KEY": "secret"})
    boto = boto3.client("s3", endpoint_url=url, aws_access_key_id="key", aws_secret_access_key="secret", region_name="auto",
                        config=botocore.config.Config(proxies={}, s3={"addressing_style": "path"}))
    other = {"ID": "logs & more", "Filter": {"And": {"Prefix": "logs/", "Tags": [{"Key": "k", "Value": "<v>"}]}},
             "Status": "Enabled", "Expiration": {"Days": 30},
             "NoncurrentVersionExpiration": {"NoncurrentDays": 3}}
    assert "not set" in lifecycle(fleet).stdout
    boto.put_bucket_lifecycle_configuration(Bucket="media", LifecycleConfiguration={"Rules": [other]})
    shown = lifecycle(fleet).stdout
    assert "logs & more" in shown and "not set" in shown and bucket.puts == 1
    assert "rules are set" in lifecycle(fleet, "--apply").stdout
    rules = {rule["ID"]: rule for rule in boto.get_bucket_lifecycle_configuration(Bucket="media")["Rules"]}
    assert rules.pop("logs & more") == other
    assert rules == {
        "mediafleet-uploads": {"ID": "mediafleet-uploads", "Filter": {"Prefix": ""}, "Status": "Enabled",
                               "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}},
        "mediafleet-tmp": {"ID": "mediafleet-tmp", "Filter": {"Prefix": "tmp/"}, "Status": "Enabled", "Expiration": {"Days": 2}}}
    told = json.loads(lifecycle(fleet, "--apply", "--json").stdout)
    assert told["set"] and [rule["ours"] for rule in told["rules"]] == [False, True, True] and bucket.puts == 2
    assert fleet.db.audit.count_documents({"action": "storage.lifecycle", "subject": "media"}) == 2
    lifecycle(fleet, "--apply", code=4, key=fleet.key)
    assert fleet.post("/api/v1/storage/lifecycle", {}, key=fleet.viewer_key).status_code == 403


@pytest.mark.parametrize("place", ["fleet", "fleet_s3"])
def test_where_there_are_none(place, request):
    """Files have no rules, and versitygw has none."""
    fleet = request.getfixturevalue(place)
    answer = fleet.post("/api/v1/storage/lifecycle", {"apply": True}, key=fleet.admin_key)
    assert (answer.status_code, answer.json()["code"]) == (501, "storage-unsupported")
    assert "storage-unsupported" in lifecycle(fleet, code=4).stderr
