"""Whole runs of `cutd demo` on a tiny model: killed at every named point and at random times, stopped, out of disk,
they end as an undisturbed run does: the same manifests, responses, scores and adapters, byte for byte (promise P1)."""

import hashlib
import json
import os
import pathlib
import random
import re
import signal
import sqlite3
import subprocess
import time

import pytest

from conftest import BIN, ROOT

INSTRUCTIONS = [f"Explain what a {noun} is used for." for noun in (
    "hammer", "river", "violin", "compass", "garden", "bridge", "candle", "mirror", "ladder", "window", "kettle", "anchor",
    "basket", "needle", "lantern", "saddle", "shovel", "whistle", "blanket", "carpet", "drum", "engine", "feather", "glove",
    "helmet", "island", "jacket", "kite", "lamp", "map")]


def write_config(folder, model):
    def rows(name, texts):
        (folder / name).write_text("".join(json.dumps({"instruction": t}) + "\n" for t in texts))

    rows("train.jsonl", INSTRUCTIONS[:20])
    rows("gate.jsonl", INSTRUCTIONS[20:26])
    rows("report.jsonl", INSTRUCTIONS[26:])
    # A margin of 1 and bands without an edge promote every round, so that the second one trains on the first.
    (folder / "tiny.yaml").write_text(f"""
name: tiny
model: {model}
threads: 1
template: {{name: chat, system: Answer briefly.}}
data: {{train: train.jsonl, gate: gate.jsonl, report: report.jsonl, instructions_per_round: 6, min_training_examples: 2}}
generation: {{max_new_tokens: 12, unit_prompts: 3, max_batch: 4}}
objective: {{name: cut, variant: paper}}
lora: {{r: 4, alpha: 4, dropout: 0.1}}
train: {{learning_rate: 1e-3, gradient_accumulation_steps: 2, save_steps: 1}}
evaluation:
  margin: 1
  bootstrap_resamples: 200
  guards: {{mean_words_low: 0, mean_words_high: 1e6, distinct_2_low: 0, distinct_2_high: 1e6, perplexity_low: 0, perplexity_high: 1e6}}
run: {{rounds: 2, min_free_disk_mb: 0}}
""")
    return folder / "tiny.yaml"


@pytest.fixture(scope="module")
def config(tiny_model, tmp_path_factory):
    return write_config(tmp_path_factory.mktemp("setting"), tiny_model)


def start(config, data, **environment):
    return subprocess.Popen([str(BIN / "cutd"), "demo", "--config", str(config), "--data-dir", str(data), "--json"],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment})


def finish(config, data):
    process = start(config, data)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err[-4000:]
    return json.loads(out.splitlines()[-1])


def sha256(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def query(data, sql):
    store = sqlite3.connect(f"file:{data / 'cutd.db'}?mode=ro", uri=True)
    try:
        return store.execute(sql).fetchall()
    finally:
        store.close()


def outcome(result, data):
    """What must not depend on crashes. The store must be whole besides."""
    assert query(data, "PRAGMA integrity_check") == [("ok",)]
    assert query(data, "PRAGMA foreign_key_check") == []
    done = subprocess.run([str(BIN / "cutd"), "doctor", "--data-dir", str(data)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return {
        "adapters": [sha256(pathlib.Path(r["adapter"]) / "adapter_model.safetensors") for r in result["rounds"]],
        "scores": [(r["score"], r["interval"], r["promoted"]) for r in result["rounds"]],
        "manifests": query(data, "SELECT sha256 FROM manifest ORDER BY sha256"),
        # Every unit's responses once, whoever wrote them.
        "responses": query(data, "SELECT sample.seed, response.hash FROM response JOIN sample ON sample.id = sample_id ORDER BY 1, 2"),
        "judgments": query(data, "SELECT count(*), count(DISTINCT response_id), sum(state = 'done') FROM judgment"),
        "evaluations": query(data, "SELECT model_hash, summary FROM evaluation ORDER BY 1, 2"),
    }


@pytest.fixture(scope="module")
def undisturbed(config, tmp_path_factory):
    data = tmp_path_factory.mktemp("undisturbed") / "data"
    result = finish(config, data)
    assert [r["promoted"] for r in result["rounds"]] == [True, True]
    return outcome(result, data)


def test_a_second_run_reuses_everything(config, undisturbed, tmp_path):
    data = tmp_path / "data"
    first = finish(config, data)
    begin = time.monotonic()
    second = finish(config, data)
    assert time.monotonic() - begin < 5
    assert outcome(first, data) == outcome(second, data) == undisturbed


# The points of a round in the order in which a run passes them: each life is killed at one, the next one finds what
# it left and comes to the next.
ROUND = ["plan.after_units", "generate.before_commit", "store.before_commit:3", "generate.after_commit", "judge.after_intent",
         "judge.before_settle", "judge.before_judgment", "store.after_commit:3", "manifest.before_row", "manifest.after_row",
         "train.after_step", "train.after_step:2", "train.before_publish",
         # The delta, then the cumulative adapter.
         "publish.before_rename", "publish.after_rename", "publish.before_row", "publish.after_row",
         "publish.before_rename", "publish.after_rename", "publish.before_row", "publish.after_row",
         "evaluate.before_score_commit", "evaluate.before_finish", "evaluate.after_finish", "promote.before_commit",
         "promote.after_commit"]
CHAIN = ["store.migrate", "evaluate.before_finish", "evaluate.after_finish", *ROUND, *ROUND, "run.before_complete"]


def crash_points():
    names = set()
    for path in (ROOT / "src").rglob("*.cc"):
        names.update(re.findall(r'fault::point\("([^"]+)"\)', path.read_text()))
    return names


def test_kills_at_every_named_point_of_both_rounds_change_nothing(config, undisturbed, tmp_path):
    data = tmp_path / "data"
    for place in CHAIN:
        process = start(config, data, CUTD_CRASH_AT=place)
        _, err = process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL, f"{place} was not passed\n{err[-2000:]}"
    assert outcome(finish(config, data), data) == undisturbed


def test_kills_of_the_engine_at_its_points_change_nothing(config, undisturbed, tmp_path):
    for place in ("train.checkpoint", "train.checkpoint:2"):
        data = tmp_path / place.replace(":", "-")
        process = start(config, data, CUTD_CRASH_AT=place)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err[-2000:]
        assert "killed by signal 9" in err, "the engine was not killed"
        assert outcome(json.loads(out.splitlines()[-1]), data) == undisturbed


def test_no_point_is_left_out():
    tested = {place.split(":")[0] for place in CHAIN} | {"train.checkpoint"}
    batches = {point for point in crash_points() if point.startswith("judge.") and "batch" in point}  # test_judges.py
    assert len(batches) == 3 and tested == crash_points() - batches


def engine_pids(parent):
    return [int(p) for p in subprocess.run(["pgrep", "-P", str(parent)], capture_output=True, text=True).stdout.split()]


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def test_fifty_random_kills_of_daemon_and_engine_change_nothing(config, undisturbed, tmp_path):
    rng, kills, runs = random.Random(20261124), {"daemon": 0, "engine": 0}, 0
    while sum(kills.values()) < 50:
        data = tmp_path / f"data-{runs}"
        while sum(kills.values()) < 50:
            process = start(config, data)
            time.sleep(rng.uniform(0.05, 2.0))
            if process.poll() is not None:
                break  # this run came to its end
            victims = engine_pids(process.pid) if rng.random() < 0.5 else []
            for pid in victims:
                kill(pid)
            if victims:
                kills["engine"] += 1
                time.sleep(rng.uniform(0, 0.5))  # the daemon notices and goes on; then it is killed as well
            if process.poll() is None:
                kills["daemon"] += 1
                process.kill()
            process.communicate()
        process.communicate()
        assert outcome(finish(config, data), data) == undisturbed
        runs += 1
    assert min(kills.values()) >= 10


def test_a_second_daemon_on_the_folder_exits_75_at_once(config, undisturbed, tmp_path):
    data = tmp_path / "data"
    first = start(config, data)
    try:
        deadline = time.monotonic() + 30
        while not (data / "cutd.db").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        begin = time.monotonic()
        second = start(config, data)
        _, err = second.communicate(timeout=30)
        assert time.monotonic() - begin < 1
        assert second.returncode == 75
        assert str(data) in err and str(first.pid) in err
    finally:
        first.kill()
        first.communicate()
    assert outcome(finish(config, data), data) == undisturbed


def test_sigterm_at_any_time_stops_cleanly_and_the_run_goes_on(config, undisturbed, tmp_path):
    data, rng, states = tmp_path / "data", random.Random(7), []
    while "completed" not in states:
        process = start(config, data)
        # Longer each time, so that the last one lives to see the end however slow the machine is.
        time.sleep(rng.uniform(0.2, 0.5) * (1 + len(states)))
        process.terminate()
        begin = time.monotonic()
        out, err = process.communicate(timeout=60)
        assert time.monotonic() - begin < 10
        assert process.returncode == 0, err
        states.append(json.loads(out.splitlines()[-1])["state"])
    assert states.count("active") >= 2
    assert outcome(finish(config, data), data) == undisturbed


@pytest.mark.parametrize("operation, error", [("write", "ENOSPC"), ("fsync", "EIO"), ("rename", "ENOSPC"), ("sqlite", "ENOSPC"),
                                              ("sqlite", "EIO")])
def test_a_failing_disk_is_named_and_nothing_is_lost(config, undisturbed, tmp_path, operation, error):
    data, said = tmp_path / "data", ""
    for number in (2, 12):
        process = start(config, data, CUTD_FAIL_IO=f"{operation}:{number}+:{error}")
        try:
            _, err = process.communicate(timeout=6)
        except subprocess.TimeoutExpired:  # paused, waiting for room
            process.terminate()
            _, err = process.communicate(timeout=60)
        assert process.returncode in (0, 1, 4), err
        said += err
    words = "No space left|database or disk is full" if error == "ENOSPC" else "Input/output error|disk I/O error"
    assert re.search(words, said), said
    assert str(data) in said
    assert outcome(finish(config, data), data) == undisturbed


def test_a_broken_instruction_line_is_named(tiny_model, tmp_path):
    config = write_config(tmp_path, tiny_model)
    with open(tmp_path / "train.jsonl", "a") as file:
        file.write('{"instruction": "unfinished\n')
    process = start(config, tmp_path / "data")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "train.jsonl:21" in err


def test_an_unknown_configuration_key_is_named(tiny_model, tmp_path):
    config = write_config(tmp_path, tiny_model)
    with open(config, "a") as file:
        file.write("rounds: 3\n")
    process = start(config, tmp_path / "data")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "tiny.yaml" in err and "rounds" in err


def test_a_missing_model_is_named(tmp_path):
    config = write_config(tmp_path, tmp_path / "nowhere")
    process = start(config, tmp_path / "data")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 3
    assert str(tmp_path / "nowhere") in err
