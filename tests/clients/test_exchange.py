"""What `cutd import` writes is read by Hugging Face `datasets`, and what `datasets` writes is read back."""

import gzip
import json

import pytest

datasets = pytest.importorskip("datasets")

ROWS = [{"instruction": f"Ask {i}", "input": "" if i % 2 else "über 🙂", "output": f"Answer {i}"} for i in range(5)]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


def convert(cutd, source, target, target_format):
    cutd.ok("import", source, "--as", target_format, "--output", target)
    return target


def load(path, tmp_path):
    return datasets.load_dataset("json", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache"))


@pytest.mark.parametrize("name", ["out.json", "out.jsonl", "out.jsonl.gz"])
def test_datasets_reads_every_container(cutd, tmp_path, name):
    source = tmp_path / "in.json"
    source.write_text(json.dumps(ROWS))
    loaded = load(convert(cutd, source, tmp_path / name, "alpaca"), tmp_path)
    assert [{k: row[k] for k in ROWS[0]} for row in loaded] == ROWS


@pytest.mark.parametrize("target,columns", [
    ("messages", {"messages"}), ("sharegpt", {"conversations"}), ("prompt", {"prompt"}),
    ("prompt-completion", {"prompt", "completion"})])
def test_conversions_have_the_columns_that_trainers_expect(cutd, tmp_path, target, columns):
    source = tmp_path / "in.json"
    source.write_text(json.dumps(ROWS))
    loaded = load(convert(cutd, source, tmp_path / "out.jsonl", target), tmp_path)
    assert set(loaded.column_names) == columns and len(loaded) == len(ROWS)


def test_a_file_that_datasets_wrote_comes_back_unchanged(cutd, tmp_path):
    written = tmp_path / "theirs.jsonl"
    datasets.Dataset.from_list([{"prompt": f"p{i}", "chosen": f"good {i}", "rejected": f"bad {i}"} for i in range(4)]).to_json(
        str(written))
    with gzip.open(tmp_path / "theirs.jsonl.gz", "wb") as packed:
        packed.write(written.read_bytes())
    out = convert(cutd, tmp_path / "theirs.jsonl.gz", tmp_path / "out.jsonl", "preference")
    assert load(out, tmp_path).to_list() == load(written, tmp_path).to_list()


def test_a_wrong_record_is_named(cutd, tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_text(json.dumps(ROWS[0]) + "\n" + json.dumps({"instruction": "x"}) + "\n")
    done = cutd("import", source, "--as", "messages", "--output", tmp_path / "out.json")
    assert done.returncode == 3
    assert "in.jsonl:2" in done.stderr and '"output"' in done.stderr


def test_what_a_format_cannot_say_is_refused_or_left_out_as_one_likes(cutd, tmp_path):
    source, out = tmp_path / "in.json", tmp_path / "out.jsonl"
    pair = {"instruction": "Say hello.", "generator_1": "a", "output_1": "Hello.", "generator_2": "b", "output_2": "Hi!"}
    source.write_text(json.dumps([pair | {"preference": 2.0}, pair | {"preference": None}]))  # the second got no word
    refused = cutd("import", source, "--as", "preference", "--output", out)
    assert refused.returncode == 3
    assert "in.json" in refused.stderr and "1 of 2 records" in refused.stderr and "--skip-incomplete" in refused.stderr
    assert not out.exists()
    assert "1 left out" in cutd.ok("import", source, "--as", "preference", "--skip-incomplete", "--output", out)
    assert [json.loads(line)["chosen"] for line in out.read_text().splitlines()] == ["Hi!"]
