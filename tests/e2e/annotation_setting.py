"""A daemon with a round that waits for people, for the tests and the bench of the annotation queue."""

import json
import pathlib
import signal
import socket
import sqlite3
import subprocess
import time


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Daemon:
    def __init__(self, data, engine, bin_folder):
        self.data, self.engine, self.bin, self.port, self.process = data, engine, bin_folder, free_port(), None

    def start(self):
        self.process = subprocess.Popen(
            [str(self.bin / "cutd"), "serve", "--data-dir", str(self.data), "--engine", str(self.engine), "--quiet", "--listen",
             f"127.0.0.1:{self.port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                assert self.process.poll() is None, (self.data / "cutd.log").read_text()[-3000:]
                time.sleep(0.05)
        raise AssertionError("the daemon does not listen")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0


def make_setting(folder, bin_folder, items, overlap, lease_minutes=0.1):
    """A daemon and the configuration of a run of one round of `items` responses whose annotator is people; the engine
    needs no model."""
    model = folder / "model"
    subprocess.run([str(bin_folder / "rehearsal_engine"), "model", str(model)], check=True)
    engine = folder / "engine"
    engine.write_text(f'#!/bin/sh\nexec "{bin_folder}/rehearsal_engine" 0 "$@"\n')
    engine.chmod(0o755)
    for name, count in (("train", items), ("gate", 4), ("report", 4)):
        rows = [{"instruction": f"Say what {name} number {n} is for."} for n in range(count)]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "people.yaml").write_text(f"""
name: people
model: {model}
template: {{name: chat, system: Answer briefly.}}
alarms: {{min_judgments: 1000000}}  # this engine says the same often, and these people criticise everything
data: {{train: train.jsonl, gate: gate.jsonl, report: report.jsonl, instructions_per_round: {items}, min_training_examples: 2}}
generation: {{max_new_tokens: 32, unit_prompts: 25, max_batch: 25}}
lora: {{r: 2, alpha: 2, dropout: 0}}
evaluation:
  margin: 1
  bootstrap_resamples: 200
  guards: {{mean_words_low: 0, mean_words_high: 1e6, distinct_2_low: 0, distinct_2_high: 1e6, perplexity_low: 0, perplexity_high: 1e6}}
annotators:
  - name: reviewers
    kind: human
    human: {{overlap: {overlap}, lease_minutes: {lease_minutes}, longest_lease_minutes: {5 * lease_minutes}}}
run: {{rounds: 1, min_free_disk_mb: 0}}
""")
    return Daemon(folder / "data", engine, bin_folder), folder / "people.yaml"


def rows_of(data, sql):
    with sqlite3.connect(f"file:{data}/cutd.db?mode=ro", uri=True) as database:
        return database.execute(sql).fetchall()


def state_of(data):
    """Of the newest run."""
    return rows_of(data, "SELECT state FROM run ORDER BY id DESC LIMIT 1")[0][0]


def what_was_counted(data):
    """{task: people who are counted} and {task: its state}, without gold items."""
    done = {}
    for task, user in rows_of(data, "SELECT task_id, user_id FROM lease JOIN task ON task.id = task_id "
                                    "WHERE lease.state = 'done' AND gold_id IS NULL"):
        done.setdefault(task, []).append(user)
    return done, dict(rows_of(data, "SELECT id, state FROM task WHERE gold_id IS NULL"))
