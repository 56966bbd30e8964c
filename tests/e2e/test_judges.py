"""Paid judging with the real programs and the double of an LLM API: what operators see when something is wrong, what a
round costs, and that no kill, fault or redirect makes it pay twice, mislabel or leak (promises P2, P3, P4, P16 to P22)."""

import http.server
import json
import os
import pathlib
import random
import signal
import socket
import sqlite3
import ssl
import subprocess
import threading
import time
import urllib.request

import pytest

from conftest import BIN
from test_rounds import write_config

KEY = "canary-4711-key"
LLM = """
annotators:
  - name: critic
    kind: llm
    llm:
      api: {api}
      base_url: {url}
      model: judge-1
      api_key_name: JUDGE_KEY
      prompt: {prompt}
      price: {{input: 1, output: 4}}
      caps: {{request: {request}, round: 5, day: 50, total: {total}}}
      allow_http: true
      allow_private: [127.0.0.1]
      timeout_ms: 10000
      on_unknown: {on_unknown}
      max_unknown_resends: 100000
      {more}
"""


WEBHOOK = """
annotators:
  - name: hook
    kind: llm
    llm: {{api: webhook, base_url: "{url}/webhook", api_key_name: JUDGE_KEY, allow_http: true, allow_private: [127.0.0.1]}}
"""
ENGINE = """
annotators:
  - name: own
    kind: llm
    llm: {{api: engine, model: {model}, dtype: float32, device: cpu, prompt: {prompt}}}
"""


class Double:
    """bin/fake_llm_server; `counts()` is what it would have charged."""

    def __init__(self, script, port=0):
        self.process = subprocess.Popen([str(BIN / "fake_llm_server"), "--port", str(port), "--script", json.dumps(script)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()

    def counts(self):
        return json.load(urllib.request.urlopen(self.url + "/_double", timeout=10))

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.process.stdout.close()


@pytest.fixture
def double():
    running = []

    def start(script=None, **options):
        running.append(Double(script or {}, **options))
        return running[-1]

    yield start
    for one in running:
        one.stop()


def annotator(url, api="openai", prompt="cut-fig8", request=1, total=100, on_unknown="hold", more=""):
    return LLM.format(api=api, url=url, prompt=prompt, request=request, total=total, on_unknown=on_unknown, more=more)


def environment(key=KEY):
    return {**os.environ, "JUDGE_KEY": key}


@pytest.fixture
def setting(tiny_model, tmp_path):
    """Writes a run's configuration with an annotator; returns its path."""

    def write(text):
        config = write_config(tmp_path, tiny_model)
        config.write_text(config.read_text() + text)
        return config

    return write


def demo(cutd, config, data, key=KEY):
    return cutd("demo", "--config", config, "--data-dir", data, "--json", env=environment(key), timeout=300)


def query(data, sql):
    store = sqlite3.connect(f"file:{data / 'cutd.db'}?mode=ro", uri=True)
    try:
        return store.execute(sql).fetchall()
    finally:
        store.close()


def check(cutd, data):
    done = cutd("doctor", "--data-dir", data, "--full")
    assert done.returncode == 0, done.stdout + done.stderr


def paid_again(data):
    """Attempts that came after one of the same judgment which was, or may have been, charged."""
    return query(data, "SELECT count(*) FROM judge_attempt later WHERE EXISTS (SELECT 1 FROM judge_attempt earlier "
                       "WHERE earlier.judgment_id = later.judgment_id AND earlier.number < later.number "
                       "AND earlier.state IN ('received', 'unknown'))")[0][0]


def total_of(data):
    return query(data, "SELECT reserved, spent FROM balance WHERE scope = 'total'")[0]


# --- what a round costs ---------------------------------------------------------------------------------


@pytest.mark.parametrize("api", ["openai", "anthropic"])
def test_a_run_is_judged_and_the_ledger_equals_what_the_provider_charged(cutd, setting, double, tmp_path, api):
    server = double({"api_key": KEY, "model": "judge-1"})
    data = tmp_path / "data"
    done = demo(cutd, setting(annotator(server.url, api)), data)
    assert done.returncode == 0, done.stderr
    assert "critic asks judge-1" in done.stderr  # the estimate comes first
    counts = server.counts()
    assert counts["hits"] == counts["charged"] == query(data, "SELECT count(*) FROM judge_attempt")[0][0]  # P3
    assert paid_again(data) == 0
    # The double bills what it says that it used, at the configured price.
    tokens = query(data, "SELECT sum(input_tokens), sum(output_tokens) FROM judge_attempt")[0]
    assert total_of(data) == (0, tokens[0] * 1 + tokens[1] * 4)
    ledger = json.loads(cutd.ok("ledger", "--data-dir", data, "--json"))
    total = [one for one in ledger["balances"] if one["scope"] == "total"][0]
    assert (total["annotator"], total["spent"], total["cap"]) == ("critic", total_of(data)[1], 100_000_000)
    assert {entry["kind"] for entry in ledger["entries"]} <= {"reserve", "settle"}
    assert "critic" in cutd.ok("ledger", "--data-dir", data)
    assert json.loads(cutd.ok("attempts", "--data-dir", data, "--json")) == []  # nothing is unknown
    assert len(json.loads(cutd.ok("attempts", "--state", "all", "--data-dir", data, "--json"))) == counts["hits"]
    check(cutd, data)


def test_faults_of_the_provider_change_no_manifest(cutd, setting, double, tmp_path):
    """Five times the shares of faults that a provider has on a bad day, as the round is small."""
    faults = [{"status": 429, "share": 0.25, "tries": 2}, {"cut": 0.5, "share": 0.1, "tries": 2},
              {"html": True, "share": 0.05, "tries": 2}, {"wrong_item": True, "share": 0.1, "tries": 2},
              {"delay_ms": 400, "share": 0.1}]
    manifests = []
    for name, script in (("calm", {}), ("stormy", {"faults": faults, "seed": 3})):
        server = double(script)
        data = tmp_path / name
        done = demo(cutd, setting(annotator(server.url, prompt="critique", on_unknown="resend")), data)
        assert done.returncode == 0, done.stderr
        manifests.append(query(data, "SELECT sha256 FROM manifest ORDER BY round_id"))
        counts = server.counts()
        assert counts["hits"] == query(data, "SELECT count(*) FROM judge_attempt")[0][0]
        if name == "stormy":
            assert query(data, "SELECT count(*) FROM judge_attempt WHERE state = 'failed'")[0][0] > 0
            assert query(data, "SELECT count(*) FROM judge_attempt WHERE state = 'unknown'")[0][0] > 0
            # More than one charge for an item is a lost answer, or one that was no judgment: all of them are rows.
            assert counts["charged"] <= query(
                data, "SELECT count(*) FROM judge_attempt WHERE state IN ('received', 'unknown')")[0][0]
        check(cutd, data)
    assert manifests[0] == manifests[1] != []


def test_a_webhook_judges_a_run_for_nothing(cutd, setting, double, tmp_path):
    server = double({"api_key": KEY, "faults": [{"wrong_item": True, "share": 0.2, "tries": 1},
                                                {"status": 503, "share": 0.2, "tries": 1}]})
    data = tmp_path / "data"
    done = demo(cutd, setting(WEBHOOK.format(url=server.url)), data)
    assert done.returncode == 0, done.stderr
    assert f"hook asks {server.url}/webhook" in done.stderr
    hits = server.counts()["hits"]
    assert hits == query(data, "SELECT count(*) FROM judge_attempt")[0][0]  # P3
    judged = query(data, "SELECT count(*) FROM judgment WHERE state = 'done'")[0][0]
    assert 0 < judged < hits  # another item's answer is none: it was asked for again
    assert total_of(data) == (0, 0)
    check(cutd, data)


def test_a_model_in_the_engine_judges_without_a_ledger(cutd, setting, tiny_model, tmp_path):
    """A random model's words are no sensible judgments; they take the whole way from its template to a verdict."""
    prompt = tmp_path / "short.yaml"
    prompt.write_text("system: Judge.\nuser: \"{{response}}\"\nparser: perfect_prefix\nmax_tokens: 400\n")
    text = ENGINE.format(model=tiny_model, prompt=prompt)
    done = trial(cutd, tmp_path, text, "--count", 3, "--json")
    assert done.returncode in (0, 4), done.stderr
    result = json.loads(done.stdout)
    for item in result["items"]:
        assert item["requests"] == 1 and item["input_tokens"] > 0 and item["output_tokens"] > 0 and item["cost"] == 0
        assert item["verdict"] in ("perfect", "criticised", "unusable")
    data = tmp_path / "data"
    demo(cutd, setting(text), data)  # what becomes of such a run is the model's luck
    assert query(data, "SELECT count(*) FROM judgment WHERE state != 'pending'")[0][0] > 0
    assert query(data, "SELECT count(*) FROM judge_attempt")[0][0] == 0
    assert query(data, "SELECT version FROM annotator")[0][0].startswith("llm/tiny/short/")
    check(cutd, data)


def test_a_cap_pauses_the_run_and_a_higher_one_lets_it_go_on(cutd, setting, double, tmp_path):
    server = double({"latency_ms": 20})
    config = setting(annotator(server.url, total=0.006))
    data = tmp_path / "data"
    done = demo(cutd, config, data)
    assert "reached its cap per total" in done.stderr and "cutd ledger caps" in done.stderr
    reserved, spent = total_of(data)
    assert reserved + spent <= 6000
    before = server.counts()
    daemon = subprocess.Popen([str(BIN / "cutd"), "serve", "--data-dir", str(data), "--quiet"], env=environment())
    try:
        wait_for(lambda: cutd("ledger", "caps", "critic", "--total", 50, "--data-dir", data).returncode == 0)
        caps = json.loads(cutd.ok("ledger", "caps", "critic", "--round", 7, "--json", "--data-dir", data))
        assert (caps["total"], caps["round"], caps["request"]) == (50_000_000, 7_000_000, 1_000_000)
        assert cutd("ledger", "caps", "nobody", "--round", 7, "--data-dir", data).returncode != 0
        cutd.ok("run", "resume", 1, "--data-dir", data)
        wait_for(lambda: query(data, "SELECT state FROM run")[0][0] == "completed")
    finally:
        daemon.terminate()
        assert daemon.wait(timeout=60) == 0
    after = server.counts()
    assert after["hits"] > before["hits"] and paid_again(data) == 0
    assert after["charged"] == query(data, "SELECT count(*) FROM judge_attempt")[0][0]
    check(cutd, data)


# --- kills ----------------------------------------------------------------------------------------------


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


@pytest.mark.parametrize("policy", ["resend", "hold"])
def test_kills_while_requests_are_under_way_never_pay_unseen(cutd, setting, double, tmp_path, policy):
    """P2. The double charges when it reads a request; its answers take their time, so that kills meet them."""
    server = double({"latency_ms": 60})
    config = setting(annotator(server.url, on_unknown=policy))
    data = tmp_path / "data"
    draw = random.Random(5)
    kills = 0
    for _ in range(40):
        before = server.counts()["hits"]
        process = subprocess.Popen([str(BIN / "cutd"), "demo", "--config", str(config), "--data-dir", str(data), "--json"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment())
        wait_for(lambda: process.poll() is not None or server.counts()["hits"] > before)
        time.sleep(draw.uniform(0, 0.08))
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.wait(timeout=60)
        reserved, spent = total_of(data)
        charged = server.counts()["charged"]
        least = query(data, "SELECT min(reserved) FROM judge_attempt")[0][0]
        assert query(data, "SELECT count(*) FROM judge_attempt")[0][0] >= charged
        assert reserved + spent > 0 and least > 0
        if query(data, "SELECT state FROM run")[0][0] == "completed":
            break
    done = demo(cutd, config, data)
    assert kills >= (3 if policy == "resend" else 1)  # held: the round ends failed when all that can be asked was asked
    unknown = query(data, "SELECT count(*) FROM judge_attempt WHERE state = 'unknown'")[0][0]
    # What was charged is in the rows; what may have been charged twice is a row that says so.
    assert server.counts()["charged"] <= query(data, "SELECT count(*) FROM judge_attempt")[0][0]
    assert paid_again(data) <= unknown
    if policy == "hold":
        assert paid_again(data) == 0
        # What is unknown waits for a person, with what it may have cost.
        listed = json.loads(cutd.ok("attempts", "--data-dir", data, "--json"))
        assert len(listed) == unknown and all(one["resolution"] is None for one in listed)
        assert total_of(data)[0] == sum(one["reserved"] for one in listed)
    else:
        assert done.returncode == 0, done.stderr
    # No answer that was received was asked for again.
    assert query(data, "SELECT count(*) FROM judge_attempt a JOIN judge_attempt b ON b.judgment_id = a.judgment_id "
                       "AND b.number > a.number WHERE a.state = 'received'")[0][0] == 0
    check(cutd, data)


def test_a_person_resolves_what_is_unknown(cutd, setting, double, tmp_path):
    server = double({"faults": [{"drop": True, "at": [1, 2]}]})
    data = tmp_path / "data"
    done = demo(cutd, setting(annotator(server.url)), data)
    assert done.returncode == 4 and "cutd attempts" in done.stderr, done.stderr
    lost = json.loads(cutd.ok("attempts", "--data-dir", data, "--json"))
    assert len(lost) == 2 and all(one["state"] == "unknown" for one in lost)
    first, second = sorted(one["id"] for one in lost)
    none = cutd("attempts", "resolve", first, "--charged", "--data-dir", data)
    assert none.returncode != 0 and "no daemon serves" in none.stderr
    daemon = subprocess.Popen([str(BIN / "cutd"), "serve", "--data-dir", str(data), "--quiet"], env=environment())
    try:
        wait_for(lambda: (data / "cutd.sock").exists() and
                 cutd("run", "status", 1, "--data-dir", data).returncode == 0)
        assert cutd("attempts", "resolve", first, "--data-dir", data).returncode == 2
        freed = json.loads(cutd.ok("attempts", "resolve", first, "--not-charged", "--json", "--data-dir", data))
        assert freed["resolution"] == "not_charged" and freed["asked_again"]
        assert "asked about again" in cutd.ok("attempts", "resolve", second, "--resend", "--data-dir", data)
        again = cutd("attempts", "resolve", first, "--charged", "--data-dir", data)
        assert again.returncode != 0 and "resolved before" in again.stderr
        failed = query(data, "SELECT id FROM round WHERE phase = 'failed'")[0][0]
        cutd.ok("round", "retry", failed, "--data-dir", data)
        wait_for(lambda: query(data, "SELECT state FROM run")[0][0] == "completed")
    finally:
        daemon.terminate()
        assert daemon.wait(timeout=60) == 0
    check(cutd, data)


# --- what operators see ---------------------------------------------------------------------------------


def trial(cutd, tmp_path, text, *arguments, key=KEY, data="trial", **more):
    config = tmp_path / "annotator.yaml"
    config.write_text(text)
    env = environment(key)
    if key is None:
        env.pop("JUDGE_KEY", None)
    return cutd("judge", "test", "--config", config, "--data-dir", tmp_path / data, *arguments, env=env, timeout=120, **more)


def test_judge_test_shows_item_verdict_tokens_cost_and_time(cutd, double, tmp_path):
    server = double({"api_key": KEY})
    done = trial(cutd, tmp_path, annotator(server.url), "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert len(result["items"]) == 10 and result["problem"] is None
    for item in result["items"]:
        assert item["verdict"] in ("perfect", "criticised") and item["text"]
        assert item["input_tokens"] > 0 and item["output_tokens"] > 0 and item["cost"] > 0 and item["milliseconds"] >= 0
    assert result["cost"] == sum(item["cost"] for item in result["items"])
    table = trial(cutd, tmp_path, annotator(server.url), "--count", 3).stdout
    assert "criticised" in table or "perfect" in table
    assert "for 3 items" in table
    journal = (tmp_path / "trial/trials.jsonl").read_text()
    assert journal.count('"intent"') == 13 == server.counts()["hits"] and KEY not in journal


@pytest.mark.parametrize("what, script, says", [
    ("bad key", {"api_key": "another"}, ["does not accept the key", "JUDGE_KEY"]),
    ("unknown model", {"model": "another", "models": ["judge-2", "other"]},
     ["check model and base URL", 'serves no model "judge-1"; nearest of the 2 that it serves: judge-2, other']),
    ("unknown model, and no list", {"faults": [{"status": 404}]}, ["check model and base URL"]),
    ("several things", {"faults": [{"at": [1, 2], "status": 400, "error": {"message": "too long"}}, {"at": [3, 4, 5], "html": True}]},
     ["3 of 3 items got no verdict", "  2 x HTTP 400: the API refuses the request (too long)", "  1 x the reply is \"text/html\""]),
    ("exhausted credit", {"faults": [{"status": 402, "error": {"type": "billing_error", "message": "empty"}}]}, ["add credit"]),
    ("spend limit", {"faults": [{"status": 429, "error": {"type": "insufficient_quota", "code": "insufficient_quota",
                                                          "message": "exceeded"}}]}, ["raise the limit"]),
    ("a proxy's page", {"faults": [{"html": True}]}, ["got no verdict"]),
    ("redirect", {"faults": [{"redirect": "http://127.0.0.1:1"}]}, ["never followed", "correct the base URL"]),
])
def test_what_is_wrong_says_what_to_do(cutd, double, tmp_path, what, script, says):
    done = trial(cutd, tmp_path, annotator(double(script).url), "--count", 3)
    assert done.returncode == 4, done.stdout + done.stderr
    for words in says:
        assert words in done.stderr, what
    assert KEY not in done.stdout + done.stderr


def test_a_missing_key_says_where_to_put_it(cutd, tmp_path):
    done = trial(cutd, tmp_path, annotator("http://127.0.0.1:1"), key=None)
    assert done.returncode == 2
    assert "credentials.yaml" in done.stderr and "JUDGE_KEY" in done.stderr


def test_keys_are_read_from_systemd_then_the_file_then_the_environment(cutd, double, tmp_path):
    server = double({"api_key": "from-systemd"})
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "JUDGE_KEY").write_text("from-systemd\n")
    (tmp_path / "trial").mkdir()
    map_file = tmp_path / "trial/credentials.yaml"
    map_file.write_text("JUDGE_KEY: from-file\n")
    map_file.chmod(0o644)
    (tmp_path / "annotator.yaml").write_text(annotator(server.url))
    command = ["judge", "test", "--config", tmp_path / "annotator.yaml", "--data-dir", tmp_path / "trial", "--count", 1]
    assert cutd(*command, env={**environment("from-env"), "CREDENTIALS_DIRECTORY": str(folder)}).returncode == 0
    refused = cutd(*command, env=environment("from-env"))
    assert refused.returncode == 2 and "chmod 600" in refused.stderr
    map_file.chmod(0o600)
    assert cutd(*command, env=environment("from-env")).returncode == 4  # the file's key wins, and it is wrong here
    map_file.unlink()
    assert cutd(*command, env=environment("from-systemd")).returncode == 0


def test_nobody_listening_and_no_such_host_say_so(cutd, tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        done = trial(cutd, tmp_path, annotator(f"http://127.0.0.1:{unused.getsockname()[1]}"), "--count", 1)
    assert done.returncode == 4 and "check the base URL" in done.stderr
    done = trial(cutd, tmp_path, annotator("https://judge.invalid/v1"), "--count", 1)
    assert done.returncode == 4 and "check the host" in done.stderr


@pytest.fixture
def expired(tmp_path):
    """An HTTPS server whose certificate ended in 2020."""
    (tmp_path / "ca.cnf").write_text(
        "[ca]\ndefault_ca=own\n[own]\ndatabase=index\nnew_certs_dir=.\nserial=serial\ndefault_md=sha256\npolicy=any\n"
        "unique_subject=no\n[any]\ncommonName=supplied\n[names]\nsubjectAltName=IP:127.0.0.1\n")
    (tmp_path / "index").touch()
    (tmp_path / "serial").write_text("01\n")

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=tmp_path, check=True, capture_output=True)

    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key.pem", "-out",
            "request.pem", "-subj", "/CN=127.0.0.1")
    openssl("ca", "-batch", "-notext", "-selfsign", "-config", "ca.cnf", "-extensions", "names", "-keyfile", "key.pem", "-in",
            "request.pem", "-out", "expired.pem", "-startdate", "20200101000000Z", "-enddate", "20200102000000Z")
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "expired.pem", tmp_path / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}/v1", tmp_path / "expired.pem"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_expired_certificate_is_named(cutd, tmp_path, expired):
    url, authority = expired
    done = trial(cutd, tmp_path, annotator(url, more=f"ca_file: {authority}"), "--count", 1)
    assert done.returncode == 4
    assert "expired" in done.stderr and "certificate" in done.stderr and "ca_file" in done.stderr


# --- secrets and addresses ------------------------------------------------------------------------------


def test_the_key_is_nowhere_but_in_the_request(cutd, setting, double, tmp_path):
    server = double({"faults": [{"status": 401, "every": 3, "error": {"message": f"bad key {KEY}"}}]})
    data = tmp_path / "data"
    config = setting(annotator(server.url))
    process = subprocess.Popen([str(BIN / "cutd"), "demo", "--config", str(config), "--data-dir", str(data), "--json"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())
    seen = []
    while process.poll() is None:
        for child in children_of(process.pid):
            try:
                if os.path.samefile(f"/proc/{child}/exe", BIN / "cutd"):
                    continue  # forked a moment ago: until it is the engine, this is the daemon's own memory
                for name in ("environ", "cmdline"):
                    assert KEY.encode() not in pathlib.Path(f"/proc/{child}/{name}").read_bytes()
                seen.append(child)
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                pass
        time.sleep(0.02)
    out, err = process.communicate()
    assert seen  # the engine ran
    assert KEY not in out + err
    for path in data.rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path


def children_of(pid):
    """Of every thread."""
    try:
        return [child for path in pathlib.Path(f"/proc/{pid}/task").glob("*/children") for child in path.read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


@pytest.mark.parametrize("url", [
    "http://127.0.0.1:{port}", "http://localhost:{port}", "http://2130706433:{port}", "http://0177.0.0.1:{port}",
    "http://[::1]:{port}", "http://[::ffff:127.0.0.1]:{port}", "http://169.254.169.254", "http://10.0.0.1",
    "http://user:pw@127.0.0.1:{port}", "file:///etc/passwd", "gopher://127.0.0.1:{port}", "ftp://127.0.0.1:{port}"])
def test_private_addresses_are_refused_unless_allowed(cutd, double, tmp_path, url):
    server = double({})
    port = server.url.rsplit(":", 1)[1]
    text = annotator(url.format(port=port)).replace("      allow_private: [127.0.0.1]\n", "")
    done = trial(cutd, tmp_path, text, "--count", 1)
    assert done.returncode in (2, 4), done.stdout + done.stderr
    assert server.counts()["hits"] == 0
    assert done.stderr.strip()


def test_plain_http_needs_its_flag_and_proxies_of_the_environment_are_ignored(cutd, double, tmp_path):
    server, proxy = double({}), double({})
    text = annotator(server.url).replace("      allow_http: true\n", "")
    done = trial(cutd, tmp_path, text, "--count", 1)
    assert done.returncode == 2 and "http" in done.stderr and server.counts()["hits"] == 0
    config = tmp_path / "annotator.yaml"
    config.write_text(annotator(server.url))
    env = {**environment(), "http_proxy": proxy.url, "HTTPS_PROXY": proxy.url, "ALL_PROXY": proxy.url}
    assert cutd("judge", "test", "--config", config, "--data-dir", tmp_path / "trial", "--count", 1, env=env).returncode == 0
    assert (server.counts()["hits"], proxy.counts()["hits"]) == (1, 0)


def test_a_proxy_is_used_where_the_configuration_or_the_flag_names_it(cutd, double, tmp_path):
    server, proxy = double({}), double({})
    flag = trial(cutd, tmp_path, annotator(server.url), "--count", 1, "--proxy", proxy.url)
    assert flag.returncode == 0, flag.stderr
    key = trial(cutd, tmp_path, annotator(server.url, more=f"proxy: {proxy.url}"), "--count", 1)
    assert key.returncode == 0, key.stderr
    assert (server.counts()["hits"], proxy.counts()["hits"]) == (0, 2)
    refused = trial(cutd, tmp_path, annotator(server.url), "--count", 1, "--proxy", "http://me:secret@127.0.0.1:1")
    assert refused.returncode == 2 and "proxy" in refused.stderr and "secret" not in refused.stderr


# --- estimate and list ----------------------------------------------------------------------------------


def test_estimate_and_list(cutd, setting, double, tmp_path):
    server = double({})
    config = setting(annotator(server.url))
    data = tmp_path / "data"
    estimate = json.loads(cutd.ok("judge", "estimate", "--config", config, "--data-dir", data, "--json"))
    assert estimate["annotators"][0]["measured"] is None and estimate["round"]["calls"] == 12
    assert estimate["run"]["calls"] == 6 + 24 + 8
    assert server.counts()["hits"] == 0 and not data.exists()  # it asks nobody and makes nothing
    assert "the run" in cutd.ok("judge", "estimate", "--config", config, "--data-dir", data)
    assert demo(cutd, config, data).returncode == 0
    measured = json.loads(cutd.ok("judge", "estimate", "--config", config, "--data-dir", data, "--json"))
    assert measured["annotators"][0]["measured"] >= 20
    listed = json.loads(cutd.ok("judge", "list", "--data-dir", data, "--json", env=environment()))
    assert [(one["name"], one["model"], one["key"]) for one in listed["annotators"]] == [("critic", "judge-1", "found")]
    assert "cut-fig8" in listed["prompts"]
    assert "critic" in cutd.ok("judge", "list", "--config", config)


# --- batches --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("api", ["openai", "anthropic"])
def test_batches_survive_kills_and_pay_for_nothing_twice(cutd, setting, double, tmp_path, api):
    """P2b: killed with the intent on disk, before the batch's id is kept, and before its end is."""
    server = double({"batch_polls": 2})
    text = annotator(server.url, api).replace("kind: llm", "kind: batch") + (
        "      batch: {poll_seconds: 0, gather_seconds: 0, appears_seconds: 1}\n")
    config = setting(text)
    data = tmp_path / "data"
    for point in ("judge.after_batch_intent", "judge.before_batch_id", "judge.before_settle", "judge.before_judgment",
                  "judge.before_batch_end", "judge.before_batch_id"):
        process = subprocess.Popen([str(BIN / "cutd"), "demo", "--config", str(config), "--data-dir", str(data), "--json"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env={**environment(), "CUTD_CRASH_AT": point})
        assert process.wait(timeout=120) == -signal.SIGKILL, point
    done = demo(cutd, config, data)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["state"] == "completed"
    assert query(data, "SELECT count(*) FROM judge_attempt WHERE state IN ('unknown', 'intent')")[0][0] == 0
    received, judgments = query(data, "SELECT count(*), count(DISTINCT judgment_id) FROM judge_attempt "
                                      "WHERE state = 'received'")[0]
    assert received == judgments == server.counts()["charged"] > 0  # zero duplicates
    assert query(data, "SELECT count(*) FROM judge_batch WHERE state IN ('intent', 'created')")[0][0] == 0
    check(cutd, data)
