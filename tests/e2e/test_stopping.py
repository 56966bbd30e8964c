"""The first SIGTERM ends any command that works by itself in order: exit 0, nothing half-written. A second ends it at once."""

import json
import pathlib
import re
import signal
import subprocess
import time

import pytest

from conftest import GGUF, write_rows

# Work of minutes, so that none of it can be over before the signal comes.
LONG_ROWS = 4000


@pytest.fixture(scope="module")
def long_input(tmp_path_factory):
    return write_rows(tmp_path_factory.mktemp("long") / "in.jsonl", [{"id": i, "ids": list(range(40, 240))} for i in range(LONG_ROWS)])


@pytest.fixture(scope="module")
def long_samples(tmp_path_factory):
    sample = {"kind": "align_p", "prompt_ids": list(range(40, 240)), "response_ids": list(range(240, 440))}
    path = tmp_path_factory.mktemp("long") / "samples.json"
    path.write_text(json.dumps([{"id": i, **sample} for i in range(LONG_ROWS)]))
    return path


def words(command, long_input, long_samples, output):
    return {
        "generate": ["generate", "--input", long_input, "--output", output, "--max-new-tokens", 200, "--ignore-eos"],
        "logprobs": ["logprobs", "--input", long_input, "--output", output],
        "explain": ["explain", "--samples", long_samples, "--objective", "mle", "--output", output],
        "bench": ["bench", "--batch", 64, "--prompt-tokens", 128, "--new-tokens", 380],
        "bench of training": ["bench", "--mode", "train", "--batch", 400, "--prompt-tokens", 128, "--new-tokens", 380],
    }[command]


def wait_until_it_listens(process):
    """The signals are blocked, and taken by a thread, from the command's first step on."""
    status = pathlib.Path(f"/proc/{process.pid}/status")
    for _ in range(3000):
        blocked = int(re.search(r"SigBlk:\s*(\w+)", status.read_text())[1], 16)
        if blocked >> (signal.SIGTERM - 1) & 1:
            return
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    pytest.fail("it never listened")


def start(program, *arguments):
    process = subprocess.Popen([str(program.path), *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until_it_listens(process)
    return process


def begin(engine, model, arguments):
    return start(engine, arguments[0], "--model", model, *arguments[1:])


def expect_an_orderly_stop(process, folder):
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "stopped: nothing was written" in err
    assert out == ""
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("command", ["generate", "logprobs", "explain", "bench", "bench of training"])
def test_the_first_sigterm_ends_a_command_with_0(engine, tiny_model, long_input, long_samples, tmp_path, command):
    process = begin(engine, tiny_model, words(command, long_input, long_samples, tmp_path / "out"))
    time.sleep(0.5)  # into its work
    expect_an_orderly_stop(process, tmp_path)


def test_a_second_signal_ends_a_command_at_once(engine, tiny_model, long_input, long_samples, tmp_path):
    process = begin(engine, tiny_model, words("generate", long_input, long_samples, tmp_path / "out"))
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode in (130, 143), err
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def long_texts(tmp_path_factory):
    row = {"text": "The quick brown fox jumps over the lazy dog. " * 40, "instruction": "Say something.", "output": "Something."}
    return write_rows(tmp_path_factory.mktemp("long") / "texts.jsonl", [{"id": i, **row} for i in range(LONG_ROWS * 5)])


@pytest.mark.parametrize("command", ["model import", "text encode", "import"])
def test_the_first_sigterm_ends_what_reads_or_makes_files_with_0(cutd, smollm2, long_texts, tmp_path, command):
    arguments = {"model import": [GGUF, "--dtype", "float32"], "text encode": ["--model", smollm2, "--input", long_texts],
                 "import": [long_texts, "--format", "alpaca-eval-outputs", "--as", "messages"]}[command]
    process = start(cutd, *command.split(), *arguments, "--output", tmp_path / "out.jsonl")
    expect_an_orderly_stop(process, tmp_path)


def test_the_first_sigterm_ends_data_prepare_with_0_after_a_whole_row(cutd, smollm2, tmp_path):
    triplet = {"instruction": "Say something. " * 40, "output": "Something.", "judgment": "Too short. " * 20}
    (tmp_path / "triplets.json").write_text(json.dumps([triplet] * LONG_ROWS))
    process = start(cutd, "data", "prepare", "--data", tmp_path / "triplets.json", "--model", smollm2, "--json")
    rows = [json.loads(process.stdout.readline())]
    process.send_signal(signal.SIGTERM)
    rows += [json.loads(line) for line in process.stdout]
    err = process.stderr.read()
    assert process.wait(timeout=60) == 0, err
    assert "stopped" in err
    assert [row["position"] for row in rows] == list(range(len(rows)))
    assert len(rows) < LONG_ROWS
