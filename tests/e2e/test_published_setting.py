"""examples/cut-llama2-13b-iterative.yaml, the whole published setting, with only model, URLs and counts replaced: two
rounds judged by the double over HTTP, then AlpacaEval's pairs judged by another one."""

import json
import os
import re
import subprocess

import pytest

from conftest import BIN, ROOT, write_rows

EXAMPLE = ROOT / "examples/cut-llama2-13b-iterative.yaml"
RANKING = "[{'model': 'model_1', 'rank': 1}, {'model': 'model_2', 'rank': 2}]"
ENVIRONMENT = {**os.environ, "OPENAI_API_KEY": "e2e-key"}


@pytest.fixture(scope="module")
def double():
    started = []

    def start(script):
        process = subprocess.Popen([BIN / "fake_llm_server", "--script", json.dumps({"api_key": "e2e-key", **script})],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process.stdout.readline().strip()

    yield start
    for process in started:
        process.stdin.close()
        process.wait(timeout=30)


def replaced(text, key, *values):
    """Every `key: value` of the file, in order, with another value; all of them must be there."""
    found = iter(values)
    text, count = re.subn(rf"(?m)^(\s*{key}: )[^#\n]*", lambda match: match.group(1) + str(next(found)) + "  ", text)
    assert count == len(values), f"{key} is {count} times in the example"
    return text


@pytest.fixture(scope="module")
def setting(tiny_model, double, tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    nouns = [f"thing number {i}" for i in range(60)]
    write_rows(folder / "alpaca.jsonl", [{"instruction": f"Explain {noun}.", "input": ""} for noun in nouns])
    write_rows(folder / "alpaca-gate.jsonl", [{"instruction": f"Explain {noun}.", "input": ""} for noun in nouns[:6]])
    report = [f"Name {noun}." for noun in nouns[:8]]
    write_rows(folder / "alpaca-eval.jsonl", [{"instruction": text, "input": ""} for text in report])
    (folder / "text_davinci_003.model_outputs.json").write_text(json.dumps(
        [{"dataset": "koala", "instruction": text, "output": f"It is {i}.", "generator": "text_davinci_003"}
         for i, text in enumerate(report)]))
    local = "\n{0}allow_http: true\n{0}allow_private: [127.0.0.1]"
    text = EXAMPLE.read_text()
    text = replaced(text, "model", tiny_model, "gpt-4")
    text = replaced(text, "base_url", double({}) + local.format("      "), double({"text": RANKING}) + local.format("  "))
    for key, value in {"instructions_per_round": 12, "max_new_tokens": 12, "unit_prompts": 6, "max_batch": 6, "rounds": 2,
                       "min_free_disk_mb": 0}.items():
        if key == "min_free_disk_mb":
            text += f"  {key}: {value}\n"
        else:
            text = replaced(text, key, value)
    (folder / "cut.yaml").write_text(text)
    return folder


def test_the_dry_run_prints_calls_cost_memory_and_time(cutd, setting, tmp_path):
    plan = json.loads(cutd.ok("run", "start", "--config", setting / "cut.yaml", "--dry-run", "--json", "--data-dir", tmp_path))
    assert plan["judge_calls"] == 2 * 12 + 3 * 6 + 2 * 8
    assert 0 < plan["cost"]["likely_usd"] < plan["cost"]["most_usd"]
    pairs = plan["pairwise"]
    assert pairs["calls"] == 8 and pairs["evaluator"] == "alpaca_eval_gpt4" and pairs["cap_usd"] == 60
    assert 0 < pairs["likely_usd"] < pairs["most_usd"]
    assert plan["memory"]["weight_bytes"] > 0 and plan["seconds"]["training"] > 0
    words = cutd.ok("run", "start", "--config", setting / "cut.yaml", "--dry-run", "--data-dir", tmp_path)
    for word in ("calls", "cost", "memory", "time", "pairs      8 calls of alpaca_eval_gpt4 (cutd eval run)"):
        assert word in words
    assert not (tmp_path / "cutd.db").exists()


def test_the_published_setting_runs_end_to_end(cutd, setting, tmp_path):
    data = tmp_path / "data"
    done = cutd("demo", "--config", setting / "cut.yaml", "--data-dir", data, "--json", env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr[-4000:]
    run = json.loads(done.stdout.splitlines()[-1])
    assert run["state"] == "completed" and len(run["rounds"]) == 2
    assert run["ended_by"] in ("rounds", "patience")
    assert run["report_untrained"]["count"] == 8

    triplets = data / "triplets.jsonl"
    cutd.ok("export", "--run", 1, "--format", "triplets", "--output", triplets, "--data-dir", data)
    rows = [json.loads(line) for line in triplets.read_text().splitlines()]
    assert len(rows) == 24 and any(row["judgment"] is None for row in rows)
    cutd.ok("export", "--run", 1, "--format", "lineage", "--trained", "--output", data / "lineage.json", "--data-dir", data)
    lineage = json.loads((data / "lineage.json").read_text())
    assert lineage and all(row["annotator"] == "gpt-4" and row["trained_delta"] for row in lineage)

    def evaluate(*more):
        return cutd("eval", "run", "--config", setting / "cut.yaml", "--run", 1, "--data-dir", data, "--json", *more,
                    env=ENVIRONMENT)

    for subject in ("kept", "untrained"):
        judged = evaluate("--subject", subject)
        assert judged.returncode == 0, judged.stderr
        figures = json.loads(judged.stdout)
        assert figures["n_total"] == 8 and figures["cost_usd"] > 0
        again = json.loads(evaluate("--subject", subject).stdout)
        assert again["calls"]["asked"] == 0 and again["cost_usd"] == figures["cost_usd"]
