"""Night cycles with a live daemon, whose engine needs no model: they start by themselves at their minute, outlive a kill
of the daemon, stop at their end time, and build on one another."""

import json
import re
import subprocess
import time

import pytest

from annotation_setting import Daemon, rows_of
from conftest import BIN

# Of a response and of a training step: a round of ten responses and some steps takes three seconds or so.
DELAY_MS = 200


def write_setting(folder):
    model = folder / "model"
    subprocess.run([str(BIN / "rehearsal_engine"), "model", str(model)], check=True)
    engine = folder / "engine"
    engine.write_text(f'#!/bin/sh\nexec "{BIN}/rehearsal_engine" {DELAY_MS} "$@"\n')
    engine.chmod(0o755)
    for name, count in (("train", 400), ("gate", 4), ("report", 4)):
        rows = [{"instruction": f"Say what {name} number {n} is for."} for n in range(count)]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    # A margin of 1 and bands without an edge promote every round. More rounds than a minute has time for.
    (folder / "run.yaml").write_text(f"""
name: night
model: {model}
template: {{name: chat, system: Answer briefly.}}
alarms: {{min_judgments: 1000000}}  # this engine says the same often
data: {{train: train.jsonl, gate: gate.jsonl, report: report.jsonl, instructions_per_round: 4, min_training_examples: 1}}
generation: {{max_new_tokens: 32, unit_prompts: 4, max_batch: 4}}
lora: {{r: 1, alpha: 1, dropout: 0}}
evaluation:
  margin: 1
  bootstrap_resamples: 200
  guards: {{mean_words_low: 0, mean_words_high: 1e6, distinct_2_low: 0, distinct_2_high: 1e6, perplexity_low: 0, perplexity_high: 1e6}}
run: {{rounds: 90, min_free_disk_mb: 0}}
""")
    return Daemon(folder / "data", engine, BIN)


def write_schedules(data, lines):
    data.mkdir(exist_ok=True)
    (data / "schedules.yaml").write_text("schedules:\n" + lines)


def wait_for(what, found, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = found()
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds} s for {what}")


def asked(cutd, data, *arguments):
    return json.loads(cutd.ok(*arguments, "--data-dir", data, "--json"))


def runs(data):
    return rows_of(data, "SELECT id, state, start_adapter_id, json_extract(config, '$.cycle.due') FROM run ORDER BY id")


def seen_by(daemon):
    """The daemon has read its schedules: a schedule begins when it is first seen."""
    return wait_for("the first look", (daemon.data / "schedules.state.json").exists, 30)


@pytest.fixture(scope="module")
def nights(cutd, tmp_path_factory):
    """Two cycles of a schedule that comes every minute, the first killed in its middle."""
    folder = tmp_path_factory.mktemp("nights")
    daemon, seen = write_setting(folder), {}
    write_schedules(daemon.data, '  - {name: minute, config: ../run.yaml, cron: "* * * * *", until: "* * * * *", if_running: queue}\n')
    daemon.start()
    try:
        seen_by(daemon)
        seen["before"] = runs(daemon.data)
        wait_for("a cycle", lambda: runs(daemon.data), 75)
        # In the middle of a round, before it has trained.
        wait_for("the second round", lambda: rows_of(daemon.data, "SELECT 1 FROM round WHERE number = 2 AND phase = 'generating'"), 40)
        daemon.kill()
        seen["killed"] = (runs(daemon.data), rows_of(daemon.data, "SELECT id, number FROM round ORDER BY id"))
        daemon.start()
        wait_for("the end", lambda: runs(daemon.data)[0][1] != "active", 120)
        seen["first"] = asked(cutd, daemon.data, "run", "status", 1)
        # The minute that was queued while the first cycle went on, or the next one.
        wait_for("the second cycle", lambda: len(runs(daemon.data)) > 1, 75)
        wait_for("its first round", lambda: rows_of(daemon.data, "SELECT 1 FROM round WHERE run_id = 2"), 30)
        seen["second"] = asked(cutd, daemon.data, "run", "status", 2)
        seen["list"] = asked(cutd, daemon.data, "schedule", "list")
        seen["text"] = cutd.ok("schedule", "list", "--data-dir", daemon.data)
        seen["next"] = asked(cutd, daemon.data, "schedule", "next", "minute", "--count", 2)
        seen["runs"] = runs(daemon.data)
        seen["parent"] = rows_of(daemon.data, "SELECT parent_adapter_id FROM round WHERE run_id = 2 AND number = 1")
        seen["served"] = rows_of(daemon.data, "SELECT adapter_id FROM serving WHERE run_id = 1")
        daemon.stop()
    finally:
        daemon.kill()
    seen["doctor"] = cutd("doctor", "--full", "--data-dir", daemon.data).stdout
    return seen


def test_a_cycle_starts_by_itself_at_its_minute(nights):
    assert nights["before"] == []
    due = nights["runs"][0][3]
    assert due % 60 == 0
    began = nights["first"]["created_at"]
    assert began.startswith(time.strftime("%Y-%m-%dT%H:%M", time.gmtime(due)))


def test_a_killed_daemon_goes_on_with_the_same_cycle_and_starts_it_once(nights):
    killed_runs, killed_rounds = nights["killed"]
    assert [row[1] for row in killed_runs] == ["active"]
    assert [number for _, number in killed_rounds] == [1, 2]
    first = nights["first"]["summary"]["rounds"]
    assert [r["id"] for r in first[:2]] == [id for id, _ in killed_rounds]
    assert first[1]["outcome"] == "promoted"
    dues = [due for _, _, _, due in nights["runs"]]
    assert len(dues) == len(set(dues)) == 2


def test_the_end_time_stops_a_cycle_and_its_summary_says_so(nights):
    first = nights["first"]
    assert first["state"] == "completed"
    assert first["summary"]["ended_by"] == "end_time"
    assert first["reason"] == "the end time has come"
    assert 2 <= len(first["summary"]["rounds"]) < 90
    assert first["summary"]["report_kept"]["count"] == 4


def test_the_next_cycle_builds_on_what_the_first_one_kept(nights):
    kept = nights["first"]["serving_adapter"]
    assert nights["first"]["start_adapter"] is None and kept is not None
    assert nights["served"] == [(kept,)]
    assert nights["second"]["start_adapter"] == kept
    assert nights["second"]["summary"]["start"]["run"] == 1
    assert nights["second"]["summary"]["start"]["round"] == len(nights["first"]["summary"]["rounds"])
    assert nights["parent"] == [(kept,)]


def test_the_commands_tell_what_came_and_what_comes(nights):
    schedule, = nights["list"]
    assert (schedule["name"], schedule["zone"], schedule["start_from"]) == ("minute", "UTC", "kept")
    started = [row for row in schedule["history"] if row["what"] == "started"]
    assert [row["run"] for row in started] == [1, 2]
    assert started[0]["outcome"] == "completed: the end time has come"
    assert any(row["what"] == "queued" and "still going" in row["reason"] for row in schedule["history"])
    assert "minute" in nights["text"] and "started" in nights["text"]
    one, two = nights["next"]
    assert one["schedule"] == "minute" and one["until"] == two["at"]


def test_the_store_is_whole_after_it_all(nights):
    assert re.search(r"^ok +store .* is sound", nights["doctor"], re.M), nights["doctor"]


def test_a_cycle_can_be_started_by_hand_with_the_schedules_limits(cutd, tmp_path):
    daemon = write_setting(tmp_path)
    write_schedules(daemon.data, '  - {name: yearly, config: ../run.yaml, cron: "0 0 1 1 *", rounds: 1, start_from: base}\n')
    daemon.start()
    try:
        assert asked(cutd, daemon.data, "schedule", "run", "yearly") == {"id": 1}
        wait_for("the end", lambda: runs(daemon.data)[0][1] != "active", 60)
        done = asked(cutd, daemon.data, "run", "status", 1)
        assert done["summary"]["ended_by"] == "rounds" and len(done["summary"]["rounds"]) == 1
        # What it kept is there for the next one that wants it.
        write_schedules(daemon.data, '  - {name: yearly, config: ../run.yaml, cron: "0 0 1 1 *", rounds: 1}\n')
        cutd.ok("schedule", "run", "yearly", "--data-dir", daemon.data)
        assert asked(cutd, daemon.data, "run", "status", 2)["start_adapter"] == done["serving_adapter"]
        daemon.stop()
    finally:
        daemon.kill()


def test_a_broken_file_is_named_and_the_daemon_goes_on(cutd, tmp_path):
    daemon = write_setting(tmp_path)
    write_schedules(daemon.data, '  - {name: night, config: ../run.yaml, at: "25:00"}\n')
    daemon.start()
    try:
        log = daemon.data / "cutd.log"
        wait_for("the complaint", lambda: "schedules are not followed" in log.read_text(), 30)
        complaint = next(line for line in log.read_text().splitlines() if "schedules are not followed" in line)
        assert "schedules.yaml: schedules[0]" in complaint and "25:00" in complaint
        refused = cutd("schedule", "list", "--data-dir", daemon.data)
        assert refused.returncode == 2 and "schedules.yaml" in refused.stderr
        assert asked(cutd, daemon.data, "run", "list") == []
        assert not (daemon.data / "schedules.state.json").exists()
        write_schedules(daemon.data, '  - {name: night, config: ../run.yaml, at: "02:00"}\n')
        wait_for("the mended file", (daemon.data / "schedules.state.json").exists, 40)
        daemon.stop()
    finally:
        daemon.kill()


def test_a_cycle_whose_configuration_is_no_good_is_named(cutd, tmp_path):
    daemon = write_setting(tmp_path)
    write_schedules(daemon.data, '  - {name: minute, config: ../nowhere.yaml, cron: "* * * * *"}\n')
    # As a daemon leaves it that saw the schedule two minutes ago.
    state = {"minute": {"handled": int(time.time()) - 120, "queued": 0, "history": []}}
    (daemon.data / "schedules.state.json").write_text(json.dumps(state))
    daemon.start()
    try:
        history = wait_for("the failure", lambda: asked(cutd, daemon.data, "schedule", "list")[0]["history"], 30)
        assert history[0]["what"] == "failed" and "nowhere.yaml" in history[0]["reason"]
        daemon.stop()
    finally:
        daemon.kill()
