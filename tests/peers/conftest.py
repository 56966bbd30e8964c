"""Runs in the venv of third_party/python/peers.txt; scripts/check_peers sets it up."""

import json
import os
import pathlib
import subprocess
from dataclasses import dataclass

import pytest
from servers import KEY, MODEL, NAME, start_llama_cpp_python, start_llama_server
from tee import Tee

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("CUTD_BIN", ROOT / "build/release/bin"))
SEEN = []  # lines of the summary

# Prices, so that a ledger can be wrong; a second try would hide what the first one was.
ANNOTATOR = {"api": "openai", "model": NAME, "api_key_name": "PEERS_KEY", "prompt": "cut-fig8", "allow_http": True,
             "allow_private": ["127.0.0.1"], "timeout_ms": 600_000, "max_unusable_retries": 0,
             "price": {"input": 1, "output": 4}, "caps": {"request": 1, "round": 50, "day": 50, "total": 50}}


@dataclass
class Trial:
    """What `cutd judge test` said."""

    code: int
    advice: str  # standard error
    items: list
    cost: int
    spent: list  # lines of DATA/trials.jsonl


@pytest.fixture(scope="session", params=[start_llama_server, start_llama_cpp_python],
                ids=["llama_server", "llama_cpp_python"])
def server(request, tmp_path_factory):
    if not MODEL.exists():
        pytest.fail(f"no model at {MODEL}: run scripts/setup")
    server = request.param(tmp_path_factory.mktemp("server"))
    server.is_llama_cpps_own = request.param is start_llama_server
    yield server
    server.stop()


@pytest.fixture
def tee(server):
    tee = Tee(server.port)
    yield tee
    tee.close()


@pytest.fixture
def judge_test(tmp_path):
    """Runs `cutd judge test` with an annotator of `changes` to the one above."""

    def run(url, *arguments, key=KEY, **changes):
        config = tmp_path / "annotator.yaml"
        config.write_text(json.dumps({"name": "peer", "kind": "llm", "llm": {**ANNOTATOR, "base_url": url, **changes}}))
        data = tmp_path / "data"
        done = subprocess.run([BIN / "cutd", "judge", "test", "--config", config, "--data-dir", data, "--json", *arguments],
                              capture_output=True, text=True, timeout=1800, env={**os.environ, "PEERS_KEY": key})
        assert done.stdout, f"exit {done.returncode}\n{done.stderr}"
        said = json.loads(done.stdout)
        journal = [json.loads(line) for line in (data / "trials.jsonl").read_text().splitlines()]
        assert KEY not in done.stdout + done.stderr
        return Trial(done.returncode, done.stderr, said["items"], said["cost"], journal)

    return run


@pytest.fixture
def note(request):
    """Adds a line to what is printed at the end."""
    return lambda text: SEEN.append(f"{request.node.name}: {text}")


def pytest_terminal_summary(terminalreporter):
    if SEEN:
        terminalreporter.section("what came")
        for line in SEEN:
            terminalreporter.write_line(line)
