"""The HTTP API as other programs meet it: schemathesis against the contract, browsers' attacks, secrets that must stay
where they are, and reads that stay fast. A store of seed_store, the real daemon and the real engine."""

import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import urllib.parse

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (content_type_conformance, response_schema_conformance,
                                               status_code_conformance)

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("CUTD_BIN", ROOT / "build/release/bin"))
sys.path.insert(0, str(ROOT / "bench"))
import bench_store  # noqa: E402

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
CANARY = "canary-Zq8xW3-secret"


class Daemon:
    """`cutd serve` on a seeded folder, with an account of each role."""

    def __init__(self, data):
        self.data = data
        self.log = open(data.parent / "serve.log", "w+")
        self.process = subprocess.Popen([BIN / "cutd", "serve", "--data-dir", data, "--listen", "127.0.0.1:0"],
                                        stderr=self.log, stdin=subprocess.DEVNULL,
                                        env={**os.environ, "CUTD_WEBHOOK_SECRET": CANARY})
        self.url = self.wait_for_address()
        self.tokens = {}
        for role in ("operator", "annotator", "viewer"):
            self.cutd("user", "add", f"the {role}", "--role", role)
            self.tokens[role] = json.loads(self.cutd("user", "token", f"the {role}", "--for", "tests", "--json"))["token"]

    def wait_for_address(self):
        for _ in range(3000):
            found = re.search(r" at (http://127\.0\.0\.1:\d+)", pathlib.Path(self.log.name).read_text())
            if found:
                return found.group(1)
            assert self.process.poll() is None, pathlib.Path(self.log.name).read_text()
            time.sleep(0.02)
        raise AssertionError("the daemon does not come up")

    def cutd(self, *arguments, stdin=None):
        done = subprocess.run([BIN / "cutd", *arguments, "--data-dir", self.data], capture_output=True, text=True,
                              input=stdin, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, method, path, role=None, body=None, headers=None):
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.url).netloc, timeout=60)
        headers = dict(headers or {})
        if role:
            headers["Authorization"] = f"Bearer {self.tokens[role]}"
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
            body = json.dumps(body)
        connection.request(method, path, body=body, headers=headers)
        reply = connection.getresponse()
        text = reply.read().decode()
        connection.close()
        return reply, text

    def get(self, path, role="viewer"):
        reply, text = self.ask("GET", path, role)
        assert reply.status == 200, f"{path}: {reply.status} {text}"
        return json.loads(text)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=60)
        self.log.close()
        return code


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    data = tmp_path_factory.mktemp("api") / "data"
    subprocess.run([BIN / "seed_store", data, "1200"], check=True, timeout=300)
    daemon = Daemon(data)
    yield daemon
    assert daemon.stop() == 0


schema = schemathesis.openapi.from_path(str(ROOT / "schemas/openapi.yaml"))
# Streams do not end, and what would take the tests' own credentials away is tested by itself below.
fuzzed = schema.exclude(operation_id=["stream_events", "stream_progress", "revoke_user", "erase_user",
                                      "revoke_token"])


@fuzzed.parametrize()
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_request_breaks_the_daemon_or_its_contract(case, daemon):
    reply = case.call(base_url=daemon.url, headers={"Authorization": f"Bearer {daemon.tokens['operator']}"})
    case.validate_response(reply, checks=CHECKS)


def test_recorded_replies_have_the_shapes_of_the_contract(daemon):
    response = daemon.get("/api/v1/responses?label=negative")["responses"][0]
    ids = {"/api/v1/runs/{id}": 1, "/api/v1/runs/{id}/rounds": 1, "/api/v1/rounds/{id}": 2,
           "/api/v1/rounds/{id}/events": 2, "/api/v1/rounds/{id}/summary": 2, "/api/v1/rounds/{id}/steps": 2,
           "/api/v1/responses/{id}": response["id"], "/api/v1/judgments/{id}": response["judgments"][0]["id"],
           "/api/v1/annotators/{id}": 1, "/api/v1/users/{id}/tokens": 1}
    skipped = {"/api/v1/events", "/api/v1/progress/events", "/api/v1/responses/{id}/tokens", "/api/v1/adapters/{id}",
               "/api/v1/evaluations/{id}", "/api/v1/webhooks/{id}/deliveries", "/api/v1/queue/items/{item}",
               "/api/v1/queue/guidelines", "/api/v1/queue/export"}  # there is no queue in this folder
    asked = 0
    for path, methods in schema.raw_schema["paths"].items():
        if "get" not in methods or path in skipped:
            continue
        case = schema[path]["GET"].Case(path_parameters={"id": ids[path]} if path in ids else {},
                                        query={"view": "pending"} if path == "/api/v1/queue/items" else {})
        reply = case.call(base_url=daemon.url, headers={"Authorization": f"Bearer {daemon.tokens['operator']}"})
        assert reply.status_code == 200, f"{path}: {reply.status_code} {reply.text}"
        case.validate_response(reply, checks=CHECKS)
        asked += 1
    assert asked > 25


def test_a_run_is_planned_before_it_is_started(daemon, tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text(json.dumps({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64, "intermediate_size": 128,
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 1000,
        "max_position_embeddings": 2048, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "hidden_act": "silu",
        "bos_token_id": 1, "eos_token_id": 2, "tie_word_embeddings": True}))
    text = (f"name: planned\nmodel: {model}\ntemplate: {{name: chat, system: Answer.}}\n"
            "data: {train: sets/train.jsonl, gate: gate.jsonl, report: report.jsonl, instructions_per_round: 2}\n"
            "run: {rounds: 2}\n")
    lines = {name: "".join(json.dumps({"instruction": f"Describe a {noun}."}) + "\n" for noun in nouns)
             for name, nouns in {"sets/train.jsonl": ["boat", "bell", "coat", "door"], "gate.jsonl": ["drum", "fork"],
                                 "report.jsonl": ["gate", "harp"]}.items()}

    def plan(role="operator", **body):
        reply, answer = daemon.ask("POST", "/api/v1/runs/plan", role, {"origin": "my.yaml", **body})
        return reply.status, json.loads(answer)

    runs = daemon.get("/api/v1/runs")
    status, found = plan(text=text)
    assert status == 200 and found["plan"] is None, found
    assert [(row["key"], row["name"], row["given"]) for row in found["files"]] == [
        ("data.train", "sets/train.jsonl", False), ("data.gate", "gate.jsonl", False),
        ("data.report", "report.jsonl", False)]
    status, found = plan(text=text, files=lines)
    assert status == 200 and found["plan"]["rounds"] == 2, found
    assert found["plan"]["responses"]["train"] == 4 and not found["plan"]["cost"]["paid"]
    for wrong, named in [({"text": text.replace("rounds:", "round:")}, 'my.yaml: unknown key "run.round"'),
                         ({"text": text + "model: b\n"}, "my.yaml: "), ({}, '"config" or "text"'),
                         ({"text": text, "files": {**lines, "gate.jsonl": "{}"}}, "gate.jsonl"),
                         ({"text": text.replace(str(model), "nowhere")}, "nowhere")]:
        status, found = plan(**wrong)
        assert status in (400, 404) and named in found["detail"], (wrong, found)
    assert plan("viewer", text=text)[0] == 403
    assert daemon.get("/api/v1/runs") == runs  # nothing was started


def test_pages_of_a_list_meet_every_row_once(daemon):
    seen, cursor = [], ""
    while True:
        page = daemon.get(f"/api/v1/responses?round=1&limit=97{cursor}")
        seen += [row["id"] for row in page["responses"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert len(seen) == len(set(seen)) == 1000 and seen == sorted(seen, reverse=True)
    failed = daemon.get("/api/v1/judgments?state=failed&limit=200")["judgments"]
    assert len(failed) == 24 and all(row["label"] is None and row["failure"] for row in failed)
    found = daemon.get("/api/v1/responses?search=candle%20mir&limit=5")["responses"]
    assert found and all("candle" in (row["text"] + row["instruction"]["text"]) for row in found)


def test_tokens_of_a_response_come_from_the_engine_and_are_kept(daemon):
    response = daemon.get("/api/v1/responses?label=negative&limit=1")["responses"][0]
    path = f"/api/v1/responses/{response['id']}/tokens"
    for _ in range(600):
        reply, text = daemon.ask("GET", path, "viewer")
        assert reply.status in (200, 202), text
        if reply.status == 200:
            break
        assert json.loads(text)["state"] == "pending"
        time.sleep(0.2)
    tokens = json.loads(text)
    case = schema["/api/v1/responses/{id}/tokens"]["GET"].Case(path_parameters={"id": response["id"]})
    case.validate_response(case.call(base_url=daemon.url, headers={"Authorization": f"Bearer {daemon.tokens['viewer']}"}),
                           checks=CHECKS)
    assert len(tokens["tokens"]) >= 20
    for token in tokens["tokens"]:
        assert token["logprob"] < 0 and token["logprob_with_judgment"] < 0
        expected = token["logprob_with_judgment"] - token["logprob"]
        import math
        if abs(expected - math.log(tokens["threshold"])) > 1e-4:
            assert token["detected"] == (expected > math.log(tokens["threshold"]))
    assert tokens["detected"] == sum(token["detected"] for token in tokens["tokens"])
    positive = daemon.get("/api/v1/responses?label=positive&limit=1")["responses"][0]
    assert daemon.ask("GET", f"/api/v1/responses/{positive['id']}/tokens", "viewer")[0].status == 409


def test_roles_open_their_own_doors_alone(daemon):
    assert daemon.ask("GET", "/api/v1/users", "viewer")[0].status == 403
    assert daemon.ask("GET", "/api/v1/runs", "annotator")[0].status == 403
    assert daemon.ask("GET", "/api/v1/runs")[0].status == 401
    assert daemon.ask("GET", "/api/v1/nothing")[0].status == 401
    assert daemon.ask("GET", "/metrics")[0].status == 401
    for public in ("/healthz", "/readyz", "/openapi.yaml", "/login"):
        assert daemon.ask("GET", public)[0].status == 200


def test_a_browser_signs_in_and_a_forged_request_does_nothing(daemon):
    daemon.cutd("user", "add", "browser", "--role", "operator", "--password", stdin=CANARY + "\n")
    reply, _ = daemon.ask("POST", "/api/v1/session", body={"name": "browser", "password": CANARY})
    assert reply.status == 200
    set_cookie = reply.getheader("Set-Cookie")
    assert "HttpOnly" in set_cookie and "SameSite=Strict" in set_cookie
    cookie = {"Cookie": set_cookie.split(";")[0]}
    own = {**cookie, "Origin": daemon.url, "Idempotency-Key": "0123456789abcdef"}
    user = {"name": "made by a form", "role": "viewer"}
    for forged in ({"Origin": "https://evil.example", "Idempotency-Key": "0123456789"}, {"Idempotency-Key": "0123456789"},
                   {"Sec-Fetch-Site": "cross-site", "Idempotency-Key": "0123456789"}, {"Origin": daemon.url},
                   {"Origin": "null", "Idempotency-Key": "0123456789"}):
        assert daemon.ask("POST", "/api/v1/users", body=user, headers={**cookie, **forged})[0].status == 403
    form = {**own, "Content-Type": "text/plain"}
    assert daemon.ask("POST", "/api/v1/users", body=user, headers=form)[0].status == 415
    assert daemon.ask("GET", "/api/v1/runs", headers={**cookie, "Host": "rebound.example"})[0].status == 421
    assert daemon.ask("GET", "/api/v1/runs", headers={**cookie, "Sec-Fetch-Site": "cross-site"})[0].status == 403
    assert not any(u["name"] == user["name"] for u in daemon.get("/api/v1/users", "operator")["users"])
    assert daemon.ask("POST", "/api/v1/users", body=user, headers=own)[0].status == 201
    assert daemon.ask("POST", "/api/v1/users", body=user, headers=own)[0].getheader("Idempotent-Replayed") == "true"
    assert daemon.ask("DELETE", "/api/v1/session", headers={**own, "Idempotency-Key": "another-key"})[0].status == 204
    assert daemon.ask("GET", "/api/v1/session", headers=cookie)[0].status == 401


def test_a_revoked_account_is_out_at_once(daemon):
    user = json.loads(daemon.ask("POST", "/api/v1/users", "operator", {"name": "gone", "role": "viewer"})[1])
    made = json.loads(daemon.ask("POST", f"/api/v1/users/{user['id']}/tokens", "operator", {"name": "t"})[1])
    bearer = {"Authorization": f"Bearer {made['token']}"}
    assert daemon.ask("GET", "/api/v1/runs", headers=bearer)[0].status == 200
    assert daemon.ask("DELETE", f"/api/v1/tokens/{made['id']}", "operator")[0].status == 204
    assert daemon.ask("GET", "/api/v1/runs", headers=bearer)[0].status == 401
    link = json.loads(daemon.ask("POST", f"/api/v1/users/{user['id']}/link", "operator")[1])["path"].split("#")[1]
    assert daemon.ask("POST", f"/api/v1/users/{user['id']}/revoke", "operator")[0].status == 200
    assert daemon.ask("POST", "/api/v1/session", body={"link": link})[0].status == 401


def test_an_erased_account_is_named_nowhere(daemon):
    user = json.loads(daemon.ask("POST", "/api/v1/users", "operator", {"name": "canary-name", "role": "viewer"})[1])
    assert daemon.ask("POST", f"/api/v1/users/{user['id']}/erase", "operator")[0].status == 200
    users = daemon.get("/api/v1/users", "operator")["users"]
    assert "canary-name" not in json.dumps(users)
    assert [u["revoked"] for u in users if u["name"] == f"erased-{user['id']}"] == [True]


def test_events_begin_where_the_reader_left(daemon):
    newest = daemon.get("/api/v1/rounds/1/events")["events"][-1]["id"]
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(daemon.url).netloc, timeout=30)
    connection.request("GET", "/api/v1/events?round=1", headers={"Authorization": f"Bearer {daemon.tokens['viewer']}",
                                                                "Last-Event-ID": str(newest - 2)})
    reply = connection.getresponse()
    assert reply.getheader("Content-Type") == "text/event-stream"
    text = b""
    while text.count(b"event: round") < 2:
        text += reply.read1()
    connection.close()
    assert f"id: {newest}\n".encode() in text and b"event: hello" in text


def test_metrics_are_prometheus_text_without_people(daemon):
    reply, text = daemon.ask("GET", "/metrics", "viewer")
    assert reply.getheader("Content-Type").startswith("text/plain; version=0.0.4")
    for name in ("judge_cost_usd", "judge_reserved_usd", "judge_unknown_attempts", "queue_open", "queue_leased",
                 "queue_submitted", "queue_overdue", "queue_needs_review", "queue_oldest_lease_seconds"):
        assert re.search(rf"^cutd_{name} [0-9.e+]+$", text, re.M), name
    assert 'cutd_judgments{state="done"} 1176' in text and "cutd_http_request_seconds_bucket" in text
    assert "the operator" not in text and "the viewer" not in text


def test_secrets_are_found_nowhere(daemon):
    database = b"".join(path.read_bytes() for path in daemon.data.glob("cutd.db*"))
    assert b"the operator" in database  # what is no secret is found: the search below sees what is there
    secrets = [CANARY.encode(), *(token.encode() for token in daemon.tokens.values())]
    for path in [*daemon.data.rglob("*"), pathlib.Path(daemon.log.name)]:
        if path.is_file():
            held = path.read_bytes()
            assert not any(secret in held for secret in secrets), path
    command = pathlib.Path(f"/proc/{daemon.process.pid}/cmdline").read_bytes()
    assert not any(secret in command for secret in secrets)
    for child in pathlib.Path(f"/proc/{daemon.process.pid}/task/{daemon.process.pid}/children").read_text().split():
        assert not any(s in pathlib.Path(f"/proc/{child}/environ").read_bytes() for s in secrets[1:])
    for role in daemon.tokens:
        for path in ("/metrics", "/api/v1/users", "/api/v1/status"):
            text = daemon.ask("GET", path, role)[1].encode()
            assert not any(secret in text for secret in secrets)


def test_reads_stay_fast_with_twenty_thousand_judgments(tmp_path):
    result = bench_store.measure(BIN, tmp_path / "data", judgments=20_000, repeats=200)
    print(json.dumps(result))
    for name, times in result["reads"].items():
        assert times["p99_ms"] < 100, f"{name}: {times}"
