"""`cutd eval run` against the double; AlpacaEval's own tools read what it writes."""

import json
import urllib.request

import pytest


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


def hits(url):
    return json.load(urllib.request.urlopen(url + "/_double", timeout=10))["hits"]


@pytest.mark.parametrize("script, says", [
    ({"api_key": "another"}, "does not accept the key"), ({"model": "another"}, "check model and base URL"),
    ({"faults": [{"redirect": "http://127.0.0.1:1"}]}, "never followed")])
def test_what_is_wrong_for_all_pairs_stops_at_once_and_says_what_to_do(cutd, double, outputs, tmp_path, script, says):
    url = double(script)
    out = tmp_path / "annotations.json"
    done = judge(cutd, outputs, url, "--output", out, "--max-in-flight", "4")
    assert done.returncode == 4
    assert "stopped: " in done.stderr and says in done.stderr and "put that right first" in done.stderr
    result = json.loads(done.stdout)
    assert says in result["paused"] and result["calls"]["left"] == 40 and result["cost_usd"] == 0
    assert hits(url) <= 8  # those under way, of 40
    again = judge(cutd, outputs, double({"text": "[{'model': 'model_1', 'rank': 1}]"}), "--output", out)
    assert again.returncode == 0 and json.loads(again.stdout)["calls"]["asked"] == 40


def test_failures_are_counted_by_reason(cutd, double, outputs, tmp_path):
    url = double({"text": "[{'model': 'model_1', 'rank': 1}, {'model': 'model_2', 'rank': 2}]",
                  "faults": [{"every": 4, "status": 400, "error": {"message": "too long"}}]})
    done = judge(cutd, outputs, url, "--output", tmp_path / "annotations.json")
    assert done.returncode == 4 and "10 pairs failed, most often: HTTP 400" in done.stderr and "too long" in done.stderr
    assert [(one["pairs"], "too long" in one["reason"]) for one in json.loads(done.stdout)["reasons"]] == [(10, True)]


def test_a_proxy_is_used_where_it_is_named(cutd, double, outputs, tmp_path):
    script = {"text": "[{'model': 'model_1', 'rank': 1}, {'model': 'model_2', 'rank': 2}]"}
    server, proxy = double(script), double(script)
    assert judge(cutd, outputs, server, "--output", tmp_path / "a.json", "--proxy", proxy).returncode == 0
    assert (hits(server), hits(proxy)) == (0, 40)
    refused = judge(cutd, outputs, server, "--output", tmp_path / "b.json", "--proxy", "socks5://127.0.0.1:1")
    assert refused.returncode == 2 and "proxy" in refused.stderr


def test_an_evaluator_file_is_found_beside_its_configuration(cutd, double, outputs, tmp_path):
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "mine.yaml").write_text("model: judge-1\napi_key_name: ''\nprompt: |\n  <|im_start|>user\n  {instruction} "
                                      "{output_1} {output_2}\n  <|im_end|>\n")
    url = double({"text": "[{'model': 'model_1', 'rank': 1}, {'model': 'model_2', 'rank': 2}]", "model": "judge-1"})
    (folder / "run.yaml").write_text(
        f"data: {{train: t.jsonl, gate: g.jsonl, report: r.jsonl}}\npairwise: {{evaluator: mine.yaml, base_url: '{url}', "
        f"reference: ../{outputs[1].name}, api_key_name: '', allow_http: true, allow_private: [127.0.0.1]}}\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = cutd("eval", "run", "--config", folder / "run.yaml", "--outputs", outputs[0], "--output",
                tmp_path / "annotations.json", "--json", cwd=elsewhere)
    assert done.returncode == 0, done.stderr
    assert {row["annotator"] for row in json.loads((tmp_path / "annotations.json").read_text())} == {"mine"}


def test_its_help_says_where_its_money_is_recorded(cutd):
    words = " ".join(cutd.ok("eval", "run", "--help").split())
    assert "the only record of the money" in words and "no cap of a run or a day covers it" in words


def test_an_estimate_sends_nothing(cutd, outputs):
    done = judge(cutd, outputs, "http://127.0.0.1:1", "--estimate")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["calls"] == 40


def test_without_a_cap_a_priced_evaluator_is_refused(cutd, double, outputs):
    done = cutd("eval", "run", "--outputs", outputs[0], "--reference", outputs[1], "--base-url", double({}), "--allow-http",
                "--allow-private", "127.0.0.1", "--api-key-name", "")
    assert done.returncode == 2 and "--max-usd" in done.stderr
