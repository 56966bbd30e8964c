"""Annotators as programs: people who claim, write, skip, give back and go away, over real HTTP, whatever happens to the
daemon meanwhile. What was acknowledged is remembered, so that a test can look for it afterwards."""

import http.client
import json
import random
import threading
import time
import uuid


class Gone(Exception):
    """The daemon stayed away for too long."""


class Annotator(threading.Thread):
    """One person. `address` is (host, port); `over` an event that ends the work; `think` the seconds spent on an item, from
    and to; `patience` how long one waits when there is nothing to claim."""

    def __init__(self, number, address, token, over, think=(0.0, 0.02), patience=0.1, skip=0.05, release=0.03, die=0.05, seed=0):
        super().__init__(daemon=True)
        self.address, self.token, self.over, self.think, self.patience = address, token, over, think, patience
        self.own_address = (f"127.0.{1 + number // 200}.{1 + number % 200}", 0)  # people come from different ones
        self.skip, self.release, self.die = skip, release, die
        self.random = random.Random(seed * 1000 + number)
        self.connection = None
        self.counted = []  # (item, text) the daemon acknowledged as counted
        self.surplus = []
        self.skipped = []
        self.replies = {}  # of each action: (when asked, seconds until the reply) of all that succeeded
        self.failure = None

    def ask(self, method, path, body=None):
        """The reply, after as many tries as the daemon's restarts take: each with the same key and body."""
        key, deadline = uuid.uuid4().hex, time.monotonic() + 120
        text = json.dumps(body) if body is not None else None
        while time.monotonic() < deadline:
            try:
                if self.connection is None:
                    self.connection = http.client.HTTPConnection(
                        *self.address, timeout=60, source_address=self.own_address)
                headers = {"Authorization": "Bearer " + self.token}
                if method != "GET":
                    headers |= {"Idempotency-Key": key, "Content-Type": "application/json"}
                asked = time.monotonic()
                self.connection.request(method, "/api/v1/queue/" + path, body=text, headers=headers)
                reply = self.connection.getresponse()
                data = reply.read()
                took = time.monotonic() - asked
                if reply.status in (429, 503):
                    time.sleep(0.2)
                    continue
                answer = json.loads(data) if data else None
                self.note(path.rsplit("/", 1)[-1], reply.status, answer, (asked, took))
                return reply.status, answer
            except (OSError, http.client.HTTPException):
                self.connection = None
                time.sleep(0.05)
        raise Gone(path)

    def note(self, action, status, answer, duration):
        """A claim that was answered with nothing is another action: it asks less of the daemon."""
        if status == 200:
            name = "nothing" if action == "claim" and answer["task"] is None else action
            self.replies.setdefault(name, []).append(duration)

    def run(self):
        try:
            while not self.over.is_set():
                self.work_once()
        except Exception as error:  # told to the test, which fails
            self.failure = error

    def work_once(self):
        status, claim = self.ask("POST", "claim", {})
        assert status == 200, claim
        task = claim["task"]
        if task is None:
            self.over.wait(self.patience)
            return
        time.sleep(self.random.uniform(*self.think))
        lease = f"leases/{task['lease']}/"
        what = self.random.random()
        if what < self.skip:
            status, reply = self.ask("POST", lease + "skip", {"reason": "not my field"})
            if status == 200:
                self.skipped.append(reply["item"])
        elif what < self.skip + self.release:
            self.ask("POST", lease + "release")
        elif what < self.skip + self.release + self.die:
            self.ask("PUT", lease + "draft", {"label": None, "text": "I will go on af"})  # and never does
        else:
            self.submit(task, lease)

    def submit(self, task, lease):
        text = f"It says too much: {self.random.randrange(10 ** 9)}."
        status, reply = self.ask("POST", lease + "submit", {"label": "negative", "text": text, "seconds_spent": 2})
        assert status == 200, reply
        (self.counted if reply["state"] == "counted" else self.surplus).append((task["item"], text))


def people_with_tokens(cutd, data, count):
    """Accounts with a token each, by the command line."""
    tokens = []
    for number in range(count):
        cutd.ok("user", "add", f"person{number}", "--role", "annotator", "--data-dir", data, "--json")
        made = cutd.ok("user", "token", f"person{number}", "--for", "test", "--data-dir", data, "--json")
        tokens.append(json.loads(made)["token"])
    return tokens
