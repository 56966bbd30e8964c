"""Whole runs of `cutd demo` on a tiny model: killed at every named point and at random times, they end as an
undisturbed run does: the same manifests and the same adapters, byte for byte (promise P1)."""

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
    "helmet", "island", "jacket", "kite", "lamp", "map", "nest", "oven", "pencil", "quilt", "rope", "scissors")]


def write_config(folder, model):
    def rows(name, texts):
        (folder / name).write_text("".join(json.dumps({"instruction": t}) + "\n" for t in texts))

    rows("train.jsonl", INSTRUCTIONS[:24])
    rows("gate.jsonl", INSTRUCTIONS[24:30])
    rows("report.jsonl", INSTRUCTIONS[30:])
    # A margin of 1 and bands without an edge promote every round, so that the second one trains on the first.
    (folder / "tiny.yaml").write_text(f"""
name: tiny
model: {model}
template: {{name: chat, system: Answer briefly.}}
data: {{train: train.jsonl, gate: gate.jsonl, report: report.jsonl, instructions_per_round: 8, min_training_examples: 2}}
generation: {{max_new_tokens: 12, unit_prompts: 3, max_batch: 4}}
objective: {{name: cut, variant: paper}}
lora: {{r: 4, alpha: 4, dropout: 0.1}}
train: {{learning_rate: 1e-3, gradient_accumulation_steps: 2, save_steps: 1}}
evaluation: {{margin: 1, bootstrap_resamples: 200, guards: {{mean_words: [0, 1000], distinct_2: [0, 1000], perplexity: [0, 1000]}}}}
run: {{rounds: 2, min_free_disk_mb: 0}}
""")
    return folder / "tiny.yaml"


@pytest.fixture(scope="module")
def setting(tiny_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("setting")
    return write_config(folder, tiny_model), tiny_model


def start(setting, data, **environment):
    config, model = setting
    return subprocess.Popen([str(BIN / "cutd"), "demo", "--config", str(config), "--model", str(model), "--data-dir", str(data), "--json"],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment})


def finish(setting, data):
    process = start(setting, data)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err[-4000:]
    return json.loads(out.splitlines()[-1])


def sha256(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def outcome(result, data):
    """What must not depend on crashes."""
    store = sqlite3.connect(f"file:{next(data.glob('*.db'))}?mode=ro", uri=True)
    assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert store.execute("PRAGMA foreign_key_check").fetchall() == []
    manifests = [row[0] for row in store.execute("SELECT sha256 FROM manifest ORDER BY sha256")]
    responses = store.execute("SELECT count(*), count(DISTINCT sample_id) FROM response").fetchone()
    store.close()
    return {
        "adapters": [sha256(pathlib.Path(r["adapter"]) / "adapter_model.safetensors") for r in result["rounds"]],
        "scores": [(r["score"], r["interval"], r["promoted"]) for r in result["rounds"]],
        "manifests": manifests, "responses": responses,
    }


@pytest.fixture(scope="module")
def undisturbed(setting, tmp_path_factory):
    data = tmp_path_factory.mktemp("undisturbed") / "data"
    result = finish(setting, data)
    assert [r["promoted"] for r in result["rounds"]] == [True, True]
    return outcome(result, data)


def crash_points():
    names = set()
    for path in (ROOT / "src").rglob("*.cc"):
        names.update(re.findall(r'fault::point\("([^"]+)"\)', path.read_text()))
    return sorted(names)


def test_a_second_run_reuses_everything(setting, undisturbed, tmp_path):
    data = tmp_path / "data"
    first = finish(setting, data)
    begin = time.monotonic()
    second = finish(setting, data)
    assert outcome(first, data) == outcome(second, data) == undisturbed
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize("point", crash_points())
@pytest.mark.parametrize("passage", [1, 2])
def test_a_kill_at_a_named_point_changes_nothing(setting, undisturbed, tmp_path, point, passage):
    data = tmp_path / "data"
    process = start(setting, data, CUTD_CRASH_AT=f"{point}:{passage}")
    try:
        process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
    assert outcome(finish(setting, data), data) == undisturbed


def engine_pids(parent):
    return [int(p) for p in subprocess.run(["pgrep", "-P", str(parent)], capture_output=True, text=True).stdout.split()]


def test_fifty_random_kills_of_daemon_and_engine_change_nothing(setting, undisturbed, tmp_path):
    data, kills, rng = tmp_path / "data", 0, random.Random(20261124)
    while kills < 50:
        process = start(setting, data)
        time.sleep(rng.uniform(0.05, 1.2))
        victims = engine_pids(process.pid) if rng.random() < 0.5 else [process.pid]
        for pid in victims or [process.pid]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        kills += 1
        if process.pid not in victims and victims:
            time.sleep(rng.uniform(0, 0.5))  # the daemon notices and goes on; then it is killed as well
            process.kill()
        process.communicate()
    assert outcome(finish(setting, data), data) == undisturbed


def test_a_second_daemon_on_the_folder_exits_75(setting, tmp_path):
    data = tmp_path / "data"
    first = start(setting, data)
    try:
        deadline = time.monotonic() + 30
        while not list(data.glob("*.db")) and time.monotonic() < deadline:
            time.sleep(0.05)
        second = start(setting, data)
        _, err = second.communicate(timeout=30)
        assert second.returncode == 75
        assert str(data) in err and str(first.pid) in err
    finally:
        first.kill()
        first.communicate()


def test_sigterm_stops_cleanly_and_the_run_goes_on(setting, undisturbed, tmp_path):
    data = tmp_path / "data"
    process = start(setting, data)
    time.sleep(1.5)
    process.terminate()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert outcome(finish(setting, data), data) == undisturbed


def test_a_full_disk_is_named_and_nothing_is_lost(setting, undisturbed, tmp_path):
    data = tmp_path / "data"
    for operation, count in (("write", 3), ("fsync", 2), ("sqlite", 5), ("rename", 2)):
        process = start(setting, data, CUTD_FAIL_IO=f"{operation}:{count}+")
        try:
            _, err = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:  # paused, waiting for room, as it should in `serve`
            process.terminate()
            _, err = process.communicate(timeout=60)
        assert "No space left" in err or "disk" in err.lower() or process.returncode == 0, err
    assert outcome(finish(setting, data), data) == undisturbed


def test_a_broken_instruction_line_is_named(setting, tiny_model, tmp_path):
    config = write_config(tmp_path, tiny_model)
    with open(tmp_path / "train.jsonl", "a") as file:
        file.write('{"instruction": "unfinished\n')
    process = start((config, tiny_model), tmp_path / "data")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "train.jsonl:25" in err


def test_an_unknown_configuration_key_is_named(setting, tiny_model, tmp_path):
    config = write_config(tmp_path, tiny_model)
    with open(config, "a") as file:
        file.write("rounds: 3\n")
    process = start((config, tiny_model), tmp_path / "data")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "tiny.yaml" in err and "rounds" in err
