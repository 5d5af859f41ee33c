"""The soak's jobs: posted as a careful client posts them, at a steady pace, of many sorts, each with the end that it must have."""
import collections
import heapq
import json
import random
import threading
import time
import uuid

import requests

from support import clips

POSTERS = 6
BACKLOG = 250  # live jobs: no more are posted while there are as many
ACCEPT_S = 180  # until a post must have been accepted, whatever is away
TWICE = 0.05  # share of accepted posts that are sent once more, with the same key
PROJECTS = 20

# sort: weight. What it is, and how it must end, is said by the method of that name.
SORTS = {"hello": 120, "sleep": 14, "long_sleep": 3, "cancelled": 6, "transient": 2, "permanent": 6, "picture": 24, "clip": 4,
         "cancelled_media": 3, "missing": 2, "broken_off": 2, "again": 4}
CRASH_EVERY_S = 90  # each takes three processes with it, one after the other, which come back ever later


class Post:
    """A request, the key that makes it one job, and what is known about that."""

    def __init__(self, sort, path, body, ends):
        self.sort, self.path, self.body, self.ends = sort, path, json.dumps(body).encode(), ends
        self.key = uuid.uuid4().hex
        self.job = None


class Flow:
    """From start() to stop(); add() posts one more job at once. problems: what a client must never see."""

    def __init__(self, rig, seed, pace):
        self.rig, self.fleet, self.pace = rig, rig.fleet, pace
        self.random = random.Random(f"{seed}-jobs")
        self.lock = threading.Lock()
        self.posts, self.answers, self.problems = [], collections.Counter(), []
        self.cancels = []  # (when, number, job), a heap
        self.made = 0
        self.last_crash = time.monotonic()
        self.stopping = threading.Event()
        self.live = lambda: 0
        serve = rig.source.serve_file
        self.picture_url = serve(clips.clip("picture.jpg"), "picture.jpg", content_type="image/jpeg")
        self.clip_url = serve(clips.clip("tiny.mp4"))

    def start(self, live):
        """live: how many jobs have not ended, about."""
        self.live, self.began = live, time.monotonic()
        self.threads = [threading.Thread(target=self.post_on, daemon=True) for _ in range(POSTERS)]
        self.threads.append(threading.Thread(target=self.cancel_on, daemon=True))
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(ACCEPT_S + 30)
        self.problems += [f"a poster is stuck: {thread}" for thread in self.threads if thread.is_alive()]

    # --- the posters ---

    def post_on(self):
        with requests.Session() as http:
            http.trust_env = False
            while not self.stopping.is_set():
                with self.lock:
                    due = (time.monotonic() - self.began) * self.pace >= self.made and self.live() < BACKLOG
                    if due:
                        self.made += 1
                        post = self.choose()
                if due:
                    self.send(http, post)
                else:
                    self.stopping.wait(0.05)

    def add(self, sort="hello"):
        """Returns the job's id, once it is accepted."""
        with self.lock:
            post = getattr(self, sort)()
        with requests.Session() as http:
            http.trust_env = False
            self.send(http, post)
        return post.job

    def send(self, http, post):
        self.posts.append(post)
        post.job = self.accept(http, post)
        if post.job is None:
            return
        self.fleet.promised.append(post.job)
        if post.sort.startswith("cancelled"):
            with self.lock:
                heapq.heappush(self.cancels, (time.monotonic() + self.random.random() * 4, len(self.posts), post.job))
        if self.random.random() < TWICE:
            again = self.accept(http, post)
            self.answers["sent twice"] += 1
            if again not in (None, post.job):
                self.problems.append(f"one Idempotency-Key, two jobs: {post.job} and {again}")

    def accept(self, http, post):
        """Asks until it is accepted: again with the same key after a lost answer or a 503, as the contract says."""
        end = time.monotonic() + ACCEPT_S
        while time.monotonic() < end:
            answer = self.ask(http, "POST", post.path, post.body, {"Idempotency-Key": post.key})
            if answer is not None and answer.status_code == 202:
                return answer.json()["task_id"]
            if answer is not None and answer.status_code not in (503, 429):
                self.problems.append(f"POST {post.path} {post.body} is answered {answer.status_code} {answer.text[:300]}")
                return None
            time.sleep(0.3 + self.random.random())
        self.problems.append(f"POST {post.path} {post.body} was not accepted in {ACCEPT_S} s")
        return None

    def ask(self, http, method, path, body=None, headers=None):
        """The answer of one of the gateways, None if there is none. Whatever is away, they answer in time."""
        url = self.random.choice(self.fleet.urls) + path
        headers = {"Authorization": f"Bearer {self.fleet.key}", "Content-Type": "application/json"} | (headers or {})
        try:
            answer = http.request(method, url, data=body, headers=headers, timeout=10)
        except requests.RequestException as error:
            self.answers[type(error).__name__] += 1
            return None
        self.answers[answer.status_code] += 1
        return answer

    def cancel_on(self):
        with requests.Session() as http:
            http.trust_env = False
            while not self.stopping.is_set() or self.cancels:
                with self.lock:
                    due = heapq.heappop(self.cancels) if self.cancels and self.cancels[0][0] <= time.monotonic() else None
                if not due:
                    self.stopping.wait(0.1) or time.sleep(0.1)
                    continue
                answer = self.ask(http, "POST", f"/api/v1/jobs/{due[2]}/cancel")
                if answer is None or answer.status_code == 503:
                    with self.lock:
                        heapq.heappush(self.cancels, (time.monotonic() + 1, *due[1:]))
                elif answer.status_code not in (202, 409):
                    self.problems.append(f"cancel of {due[2]} is answered {answer.status_code} {answer.text[:300]}")

    # --- the sorts: (request, states or error codes that are a right end) ---

    def choose(self):
        if time.monotonic() - self.last_crash > CRASH_EVERY_S:
            self.last_crash = time.monotonic()
            return self.crash()
        return getattr(self, self.random.choices(list(SORTS), SORTS.values())[0])()

    def post_hello(self, sort, ends, **body):
        return Post(sort, "/api/v1/debug/hello", body, ends)

    def post_media(self, sort, url, ends):
        return Post(sort, "/api/v1/media/store", {"url": url, "project_id": f"soak-{self.random.randrange(PROJECTS)}"}, ends)

    def hello(self):
        return self.post_hello("hello", {"succeeded"})

    def sleep(self):
        return self.post_hello("sleep", {"succeeded"}, sleep_ms=self.random.randrange(100, 3000))

    def long_sleep(self):
        return self.post_hello("long_sleep", {"succeeded"}, sleep_ms=self.random.randrange(5000, 20000))

    def cancelled(self):
        return self.post_hello("cancelled", {"succeeded", "cancelled"}, sleep_ms=self.random.randrange(500, 8000))

    def transient(self):
        return self.post_hello("transient", {"debug-transient"}, fail="transient")

    def permanent(self):
        return self.post_hello("permanent", {"debug-permanent"}, fail="permanent")

    def crash(self):
        return self.post_hello("crash", {"worker-crash"}, fail="crash")

    def again(self):
        """The retry of a job, which is another one."""
        known = [post for post in self.posts[-400:-100] if post.job and post.sort in ("hello", "permanent")]
        if not known:
            return self.hello()
        post = self.random.choice(known)
        return Post("again", f"/api/v1/jobs/{post.job}/retry", {}, post.ends)

    def picture(self):
        return self.post_media("picture", self.picture_url, {"succeeded"})

    def clip(self):
        return self.post_media("clip", self.clip_url, {"succeeded"})

    def cancelled_media(self):
        return self.post_media("cancelled_media", self.random.choice([self.picture_url, self.clip_url]), {"succeeded", "cancelled"})

    def missing(self):
        return self.post_media("missing", self.rig.source.serve(b"", status=404), {"source-not-found"})

    def broken_off(self):
        """A source that breaks off at its half once: the rest is asked for."""
        file = clips.clip("tiny.mp4")
        return self.post_media("broken_off", self.rig.source.serve_file(file, cut=[file.stat().st_size // 2, None]), {"succeeded"})

    # --- afterwards ---

    def outcomes(self):
        """({sort: {end: number}}, jobs that ended otherwise than they must)."""
        ended = {job["_id"]: job for job in self.fleet.db.jobs.find({}, {"state": 1, "stop": 1})}
        table, wrong = collections.defaultdict(collections.Counter), []
        for post in self.posts:
            job = ended.get(post.job)
            end = "not accepted" if post.job is None else "gone" if job is None else job["state"]
            if end == "failed":
                end = job["stop"]["code"]
            table[post.sort][end] += 1
            if end not in post.ends:
                wrong.append(f"job {post.job} ({post.sort}) ended as {end}")
        own = {post.job for post in self.posts} | set(self.fleet.promised)
        asked = self.fleet.db.jobs.find({"recipe": {"$in": ["hello", "media.store"]}}, {"_id": 1})
        nobody = [job["_id"] for job in asked if job["_id"] not in own]
        if len(nobody) > table_sum(table, "not accepted"):
            wrong.append(f"jobs that nobody has an answer about: {nobody[:10]}")
        return table, wrong


def table_sum(table, end):
    return sum(ends[end] for ends in table.values())
