"""`cutd eval` against AlpacaEval's own code: same keys, same values."""

import json
import math
import random

import pytest

metrics = pytest.importorskip("alpaca_eval.metrics")


def theirs(preferences):
    return metrics.get_winrate([{"preference": p} for p in preferences])


def annotations(preferences):
    return [{"instruction": f"instruction {i}", "output_1": "one", "output_2": "two", "generator_1": "a",
             "generator_2": "b", "annotator": "judge", "preference": p} for i, p in enumerate(preferences)]


def ours(cutd, path):
    return json.loads(cutd.ok("eval", "--annotations", path, "--json"))


def assert_same(got, expected):
    for key, value in expected.items():
        if value is None or math.isnan(float(value)):
            assert got[key] is None, key
        else:
            assert got[key] == pytest.approx(float(value), abs=1e-9), key


def test_the_shared_annotations_give_the_published_figures(cutd, alpaca_eval_data):
    path = alpaca_eval_data / "llama-2-13b-chat-hf.annotations.json"
    got = ours(cutd, path)
    assert got["win_rate"] == pytest.approx(81.09452736318407, abs=1e-9)
    assert got["standard_error"] == pytest.approx(1.381757308773, abs=1e-9)
    assert got["n_total"] == 804
    rows = json.loads(path.read_text())
    assert_same(got, theirs([row["preference"] for row in rows]))
    assert list(got)[:7] == list(theirs([1]))


@pytest.mark.parametrize("preferences", [
    [2, 1, None, 1.5, 0], [1.2, 1.8, 1.5, 2.0, 1.0], [2, 3, -1, 0.5, 1], [2.4, 0.6, 2.5, 0.4, 1.49, 2], [2, 1], [2],
    [random.Random(7).uniform(1, 2) for _ in range(200)]])
def test_draws_weights_and_invalid_values_count_as_theirs_do(cutd, tmp_path, preferences):
    path = tmp_path / "annotations.json"
    path.write_text(json.dumps(annotations(preferences)))
    assert_same(ours(cutd, path), theirs(preferences))
