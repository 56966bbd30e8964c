"""People judge a round over real HTTP while the daemon is killed again and again (promises P23 and P24): every item is
counted exactly three times, by three people; nothing acknowledged is lost; then the round goes on by itself."""

import collections
import concurrent.futures
import http.client
import json
import random
import threading
import time

from annotation_setting import make_setting, rows_of, state_of, what_was_counted
from annotators import Annotator, people_with_tokens
from conftest import BIN

PEOPLE, ITEMS, OVERLAP, KILLS = 50, 100, 3, 10


def test_fifty_people_judge_a_round_through_ten_kills(cutd, tmp_path):
    daemon, config = make_setting(tmp_path, BIN, ITEMS, OVERLAP)
    daemon.start()
    tokens = people_with_tokens(cutd, daemon.data, PEOPLE)
    cutd.ok("run", "start", "--config", config, "--data-dir", daemon.data)
    over = threading.Event()
    people = [Annotator(number, ("127.0.0.1", daemon.port), token, over) for number, token in enumerate(tokens)]
    for person in people:
        person.start()
    moments = random.Random(3)
    for _ in range(KILLS):
        time.sleep(moments.uniform(0.3, 1.2))
        daemon.kill()
        daemon.start()
    deadline = time.monotonic() + 400
    while state_of(daemon.data) == "active" and time.monotonic() < deadline:
        time.sleep(0.2)
    over.set()
    for person in people:
        person.join(60)
    assert [person.failure for person in people if person.failure] == []
    assert state_of(daemon.data) == "completed"
    check_moving_out_and_in(cutd, daemon.data, tmp_path)
    daemon.stop()
    check_what_was_counted(daemon.data, people)
    cutd.ok("doctor", "--data-dir", daemon.data)


def test_a_hundred_identical_submissions_are_one(cutd, tmp_path):
    """Promise P24, and what the same people do when it is not the same thing: another text under another key is refused,
    and what comes after the lease was given back is surplus."""
    daemon, config = make_setting(tmp_path, BIN, 4, 2, lease_minutes=10)
    daemon.start()
    tokens = people_with_tokens(cutd, daemon.data, 2)
    cutd.ok("run", "start", "--config", config, "--data-dir", daemon.data)
    person = Annotator(0, ("127.0.0.1", daemon.port), tokens[0], threading.Event())
    task = first_task(person)
    submit = f"/api/v1/queue/leases/{task['lease']}/submit"
    same = {"label": "negative", "text": "It says too much.", "seconds_spent": 2}
    replies = at_once([(submit, "the-very-same-key", same)] * 100, daemon, tokens[0])
    assert {status for status, _ in replies} == {200}
    assert len({body for _, body in replies}) == 1 and json.loads(replies[0][1])["state"] == "counted"
    others = [(submit, f"another-key-{i}", {**same, "text": f"Something else: {i}."}) for i in range(20)]
    assert {status for status, _ in at_once(others, daemon, tokens[0])} == {409}
    assert rows_of(daemon.data, "SELECT state, text FROM lease") == [("done", same["text"])]
    late = first_task(person)
    person.ask("POST", f"leases/{late['lease']}/release")
    replies = at_once([(f"/api/v1/queue/leases/{late['lease']}/submit", f"late-key-{i}", same) for i in range(20)],
                      daemon, tokens[0])
    assert {(status, json.loads(body)["state"]) for status, body in replies} == {(200, "surplus")}
    assert sorted(state for (state,) in rows_of(daemon.data, "SELECT state FROM lease")) == ["done", "surplus"]
    daemon.stop()


def first_task(person):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        task = person.ask("POST", "claim", {})[1]["task"]
        if task is not None:
            return task
        time.sleep(0.1)
    raise AssertionError("nothing to judge came")


def at_once(requests, daemon, token):
    """(status, body) of each POST, all sent together by 25 threads; what is still at work is asked for again."""
    def post(request):
        path, key, body = request
        headers = {"Authorization": "Bearer " + token, "Idempotency-Key": key, "Content-Type": "application/json"}
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=60)
            connection.request("POST", path, json.dumps(body), headers)
            reply = connection.getresponse()
            data = reply.read()
            connection.close()
            if reply.status != 409 or not reply.getheader("Retry-After"):
                return reply.status, data
            time.sleep(float(reply.getheader("Retry-After")))

    with concurrent.futures.ThreadPoolExecutor(25) as threads:
        return list(threads.map(post, requests))


def check_what_was_counted(data, people):
    done, tasks = what_was_counted(data)
    assert len(tasks) >= ITEMS
    assert set(tasks.values()) <= {"settled"}, collections.Counter(tasks.values())
    assert {len(users) for users in done.values()} == {OVERLAP} and len(done) == len(tasks)
    assert all(len(set(users)) == OVERLAP for users in done.values())
    stored = {item: (state, text) for item, state, text in rows_of(data, "SELECT item, state, text FROM lease")}
    for person in people:
        for item, text in person.counted:
            assert stored[item] == ("done", text)
        for item, text in person.surplus:
            assert stored[item] == ("surplus", text)
        for item in person.skipped:
            assert stored[item][0] == "skipped"
    acknowledged = sum(len(person.counted) for person in people)
    assert acknowledged == sum(state == "done" for state, _ in stored.values())


def check_moving_out_and_in(cutd, data, folder):
    """By the command line: what stands there, all of it exported, and imported again without a change."""
    rounds = json.loads(cutd.ok("queue", "status", "--data-dir", data, "--json"))["rounds"]
    (queue,) = [queue for queue in rounds if queue["round"]]
    assert (queue["state"], queue["overlap"], queue["counts"]["submitted"]) == ("closed", OVERLAP, OVERLAP * ITEMS)
    assert "alpha" in cutd.ok("queue", "status", "--data-dir", data)
    people = json.loads(cutd.ok("queue", "status", "--people", "--round", queue["round"], "--data-dir", data, "--json"))
    assert sum(person["submitted"] for person in people) == OVERLAP * ITEMS
    for shape, key in (("argilla", "responses"), ("label-studio", "annotations")):
        file = folder / f"{shape}.json"
        cutd.ok("queue", "export", queue["round"], "--format", shape, "--file", file, "--data-dir", data)
        records = json.loads(file.read_text())
        assert len(records) == ITEMS and all(len(record[key]) >= OVERLAP for record in records)
        counts = json.loads(cutd.ok("queue", "import", queue["round"], "--format", shape, "--file", file, "--data-dir", data,
                                    "--json"))
        assert counts["added"] == 0 and counts["unmatched"] == 0 and counts["known"] >= OVERLAP * ITEMS
