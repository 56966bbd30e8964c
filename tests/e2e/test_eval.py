"""`cutd eval` on published annotations, against AlpacaEval's own code where that package can be imported."""

import json

import pytest

from conftest import SHARED

ANNOTATIONS = SHARED / "data/alpaca-eval/llama-2-13b-chat-hf.annotations.json"


@pytest.fixture(scope="module")
def annotations():
    if not ANNOTATIONS.exists():
        pytest.skip(f"no annotations at {ANNOTATIONS}")
    return ANNOTATIONS


def test_the_published_win_rate_is_computed_exactly(cutd, annotations):
    result = json.loads(cutd.ok("eval", "--annotations", annotations, "--json"))
    assert result["win_rate"] == pytest.approx(81.09452736318407, abs=1e-9)
    assert result["standard_error"] == pytest.approx(1.381757308773, abs=1e-9)
    assert result["n_total"] == 804 and result["n_missing"] == 1


def test_alpaca_evals_own_code_gives_the_same_keys_and_values(cutd, annotations):
    metrics = pytest.importorskip("alpaca_eval.metrics", reason="alpaca_eval is not installed")
    expected = metrics.get_winrate(json.loads(annotations.read_text()))
    result = json.loads(cutd.ok("eval", "--annotations", annotations, "--json"))
    for key, value in expected.items():
        assert result[key] == pytest.approx(float(value), abs=1e-9), key


def test_two_files_are_compared_in_pairs(cutd, annotations, tmp_path):
    rows = json.loads(annotations.read_text())
    for row in rows[:100]:
        row["preference"] = 2
    better = tmp_path / "better.json"
    better.write_text(json.dumps(rows))
    difference = json.loads(cutd.ok("eval", "--annotations", better, "--parent", annotations, "--json"))["difference"]
    low, high = difference["interval"]
    assert 0 < low < difference["value"] < high
    assert "difference to" in cutd.ok("eval", "--annotations", better, "--parent", annotations)


def test_a_broken_file_is_named_with_its_record(cutd, tmp_path):
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps([{"instruction": "a", "output_1": "b", "output_2": "c", "preference": "two"}]))
    done = cutd("eval", "--annotations", broken)
    assert done.returncode == 3
    assert "broken.json: record 0" in done.stderr and "preference" in done.stderr
