"""`cutd eval run` against the double; AlpacaEval's own tools read what it writes."""

import json
import subprocess

import pytest
from conftest import BIN

DOUBLE = BIN / "fake_llm_server"


@pytest.fixture
def double():
    """Starts a double with a script; returns its URL."""
    started = []

    def start(script):
        process = subprocess.Popen([DOUBLE, "--script", json.dumps(script)], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process.stdout.readline().strip()

    yield start
    for process in started:
        process.stdin.close()
        process.wait(timeout=30)


@pytest.fixture
def outputs(tmp_path):
    def write(name, generator, text):
        path = tmp_path / name
        path.write_text(json.dumps([
            {"dataset": "koala", "instruction": f"Say {i} & \"quote\" it", "output": f"{text} {i}", "generator": generator}
            for i in range(40)]))
        return path

    return write("mine.json", "mine", "My answer is"), write("reference.json", "base", "The answer is")


def judge(cutd, outputs, url, *more):
    return cutd("eval", "run", "--outputs", outputs[0], "--reference", outputs[1], "--base-url", url, "--allow-http",
                "--allow-private", "127.0.0.1", "--api-key-name", "", "--max-usd", "10", "--json", *more)


def test_alpaca_evals_tools_read_what_is_written(cutd, double, outputs, tmp_path):
    metrics = pytest.importorskip("alpaca_eval.metrics")
    utils = pytest.importorskip("alpaca_eval.utils")
    url = double({"text": "[{'model': 'model_1', 'rank': 1}, {'model': 'model_2', 'rank': 2}]"})
    out = tmp_path / "annotations.json"
    done = judge(cutd, outputs, url, "--output", out)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    frame = utils.load_or_convert_to_dataframe(out)
    assert {"instruction", "output_1", "generator_1", "dataset", "output_2", "generator_2", "annotator", "preference",
            "price_per_example", "time_per_example", "raw_completion"} <= set(frame.columns)
    for key, value in metrics.get_winrate(frame).items():
        assert figures[key] == pytest.approx(float(value), abs=1e-9), key
    assert figures["n_total"] == 40 and 0 < figures["win_rate"] < 100
    assert figures["calls"]["asked"] == 40

    again = json.loads(judge(cutd, outputs, url, "--output", out).stdout)
    assert again["calls"]["asked"] == 0 and again["calls"]["reused"] == 40
    assert again["cost_usd"] == figures["cost_usd"]


def test_the_order_and_the_preference_are_alpaca_evals(cutd, double, outputs, tmp_path):
    """AlpacaEval's annotator, given the same replies, comes to the same preferences."""
    annotators = pytest.importorskip("alpaca_eval.annotators")
    url = double({"text": "[{'model': 'model_1', 'rank': 1}, {'model': 'model_2', 'rank': 2}]"})
    out = tmp_path / "annotations.json"
    assert judge(cutd, outputs, url, "--output", out).returncode == 0
    ours = {row["instruction"]: row["preference"] for row in json.loads(out.read_text())}

    annotator = annotators.PairwiseAnnotator(annotators_config="alpaca_eval_gpt4", caching_path=None)
    single = annotator.annotators["alpaca_eval_gpt4"]
    single.fn_completions = lambda prompts, **_: {
        "completions": ["[{'model': 'model_1', 'rank': 1}, {'model': 'model_2', 'rank': 2}]"] * len(prompts),
        "price_per_example": [0.0] * len(prompts), "time_per_example": [0.0] * len(prompts)}
    theirs = annotator.annotate_head2head(outputs_1=json.loads(outputs[1].read_text()),
                                          outputs_2=json.loads(outputs[0].read_text()))
    assert ours == {row["instruction"]: row["preference"] for row in theirs}
    assert set(ours.values()) == {1, 2}


def test_an_estimate_sends_nothing(cutd, outputs):
    done = judge(cutd, outputs, "http://127.0.0.1:1", "--estimate")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["calls"] == 40


def test_without_a_cap_a_priced_evaluator_is_refused(cutd, double, outputs):
    done = cutd("eval", "run", "--outputs", outputs[0], "--reference", outputs[1], "--base-url", double({}), "--allow-http",
                "--allow-private", "127.0.0.1", "--api-key-name", "")
    assert done.returncode == 2 and "--max-usd" in done.stderr
