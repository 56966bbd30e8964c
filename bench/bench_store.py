"""Reads stay fast as data grows: a store of a million judgments, the real daemon, one client over loopback. Prints one
JSON line: p50 and p99 of the dashboard, of a round's page and of browsing by every kind of filter, in milliseconds, the
database's size, and the seconds until the daemon answers.

    python3 bench/bench_store.py --bin build/release/bin [--judgments 1000000] [--data DIR kept between runs]
"""

import argparse
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time

LIMIT_MS = 100
OWN_PROGRESS = "/api/v1/queue/progress"  # an annotator's page asks this one, an operator's the others


def reads(newest_run, newest_round):
    return {
        "dashboard: runs": "/api/v1/runs",
        "dashboard: one run": f"/api/v1/runs/{newest_run}",
        "round page": f"/api/v1/rounds/{newest_round}/summary",
        "annotators": "/api/v1/annotators",
        "rounds": "/api/v1/rounds?limit=50",
        "responses": "/api/v1/responses?limit=50",
        "responses, of the first run": "/api/v1/responses?run=1&limit=50",
        "responses, of a round": f"/api/v1/responses?round={newest_round}&limit=50",
        "responses, negative": "/api/v1/responses?label=negative&limit=50",
        "responses, failed": "/api/v1/responses?state=failed&limit=50",
        "responses, searched": "/api/v1/responses?search=candle%20mirr&limit=50",
        "responses, deep page": "/api/v1/responses?cursor=5000&limit=50",
        "judgments": "/api/v1/judgments?limit=50",
        "judgments, searched": "/api/v1/judgments?search=too%20long%20candle&limit=50",
        "queue rounds": "/api/v1/queue/rounds",
        "queue people": "/api/v1/queue/people",
        "queue, a person's own": OWN_PROGRESS,
        "ledger": f"/api/v1/ledger?run={newest_run}&limit=200",
        "status": "/api/v1/status",
        "evaluations": "/api/v1/evaluations",
        "metrics": "/metrics",
    }


def percentile(times, share):
    ordered = sorted(times)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000, 2)


class Client:
    def __init__(self, address, token):
        self.connection = http.client.HTTPConnection(address, timeout=120)
        self.headers = {"Authorization": f"Bearer {token}"}

    def get(self, path):
        begin = time.perf_counter()
        self.connection.request("GET", path, headers=self.headers)
        reply = self.connection.getresponse()
        body = reply.read()
        took = time.perf_counter() - begin
        assert reply.status == 200, f"{path}: {reply.status} {body[:300]}"
        return took, body


def start(bin_dir, data):
    """The daemon's process, its address, and the seconds until it answered."""
    log = data.parent / "serve.log"
    begin = time.perf_counter()
    process = subprocess.Popen([bin_dir / "cutd", "serve", "--data-dir", data, "--listen", "127.0.0.1:0"],
                               stderr=open(log, "w"), stdin=subprocess.DEVNULL)
    while not (found := re.search(r" at http://([0-9.:]+)", log.read_text())):
        assert process.poll() is None, log.read_text()
        time.sleep(0.01)
    return process, found.group(1), time.perf_counter() - begin


def token_of(bin_dir, data, role):
    name = f"bench {role} {os.getpid()}"
    for arguments in (["user", "add", name, "--role", role], ["user", "token", name, "--for", "bench", "--json"]):
        done = subprocess.run([bin_dir / "cutd", *arguments, "--data-dir", data], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["token"]


def measure(bin_dir, data, judgments, repeats):
    if not (data / "cutd.db").exists():
        subprocess.run([bin_dir / "seed_store", data, str(judgments)], check=True)
    process, address, seconds = start(bin_dir, data)
    try:
        client = Client(address, token_of(bin_dir, data, "operator"))
        annotator = Client(address, token_of(bin_dir, data, "annotator"))
        newest = json.loads(client.get("/api/v1/rounds?limit=1")[1])["rounds"][0]
        result = {"bench": "store", "judgments": judgments, "start_seconds": round(seconds, 2),
                  "database_mb": round((data / "cutd.db").stat().st_size / 1e6, 1), "reads": {}}
        for name, path in reads(newest["run"], newest["id"]).items():
            who = annotator if path == OWN_PROGRESS else client
            who.get(path)
            times = [who.get(path)[0] for _ in range(repeats)]
            result["reads"][name] = {"p50_ms": percentile(times, 0.5), "p99_ms": percentile(times, 0.99)}
        return result
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path("build/release/bin"))
    parser.add_argument("--judgments", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--data", type=pathlib.Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = (arguments.data or pathlib.Path(folder) / "data").absolute()
        data.parent.mkdir(parents=True, exist_ok=True)
        result = measure(arguments.bin.absolute(), data, arguments.judgments, arguments.repeats)
    print(json.dumps(result))
    slow = [name for name, times in result["reads"].items() if times["p99_ms"] >= LIMIT_MS]
    if slow:
        raise SystemExit(f"p99 of {LIMIT_MS} ms or more: {', '.join(slow)}")


if __name__ == "__main__":
    main()
