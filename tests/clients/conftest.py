"""What tests with real clients share. Runs in the clients' venv (third_party/python/clients.txt), which has no torch."""

import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("CUTD_BIN", ROOT / "build/release/bin"))
SHARED = pathlib.Path(os.environ.get("CUTD_SHARED", ROOT.parent / "shared"))

os.environ.setdefault("OPENAI_API_KEY", "unused")  # alpaca_eval wants one at import


class Program:
    """Runs one of the programs; `ok` fails the test with its standard error when it does not exit 0."""

    def __init__(self, path):
        self.path = path

    def __call__(self, *arguments, **options):
        options.setdefault("timeout", 600)
        return subprocess.run([str(self.path), *map(str, arguments)], capture_output=True, text=True, **options)

    def ok(self, *arguments, **options):
        done = self(*arguments, **options)
        assert done.returncode == 0, f"{arguments}\nexit {done.returncode}\n{done.stderr[-4000:]}"
        return done.stdout


@pytest.fixture(scope="session")
def cutd():
    return Program(BIN / "cutd")


@pytest.fixture(scope="session")
def alpaca_eval_data():
    folder = SHARED / "data/alpaca-eval"
    if not folder.is_dir():
        pytest.skip(f"no AlpacaEval data at {folder}")
    return folder


@pytest.fixture
def double():
    """Starts the double of an LLM API (tests/support/fake_llm) with a script; returns its URL."""
    started = []

    def start(script):
        process = subprocess.Popen([BIN / "fake_llm_server", "--script", json.dumps(script)], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process.stdout.readline().strip()

    yield start
    for process in started:
        process.stdin.close()
        process.wait(timeout=30)
        process.stdout.close()
