"""`cutd text` and `cutd data prepare` against golden data."""

import json

from conftest import SHARED, read_rows, write_rows

import pytest


def test_encoding_and_decoding_match(cutd, golden, smollm2, tmp_path):
    strings = json.loads((golden / "tokenizer/strings.json").read_text())["strings"]
    source = write_rows(tmp_path / "in.jsonl", [{"id": i, "text": s["text"]} for i, s in enumerate(strings)])
    cutd.ok("text", "encode", "--model", smollm2, "--input", source, "--output", tmp_path / "ids.jsonl")
    assert [row["ids"] for row in read_rows(tmp_path / "ids.jsonl")] == [s["ids"] for s in strings]
    cutd.ok("text", "decode", "--model", smollm2, "--input", tmp_path / "ids.jsonl", "--output", tmp_path / "text.jsonl")
    assert [row["text"] for row in read_rows(tmp_path / "text.jsonl")] == [s.get("decode", s["text"]) for s in strings]


def test_rendering_matches(cutd, golden, smollm2, tmp_path):
    cases = json.loads((golden / "tokenizer/smollm2_chat.json").read_text())["cases"]
    rows = [{"id": name, "messages": c["messages"], "add_generation_prompt": c["add_generation_prompt"]} for name, c in cases.items()]
    source = write_rows(tmp_path / "in.jsonl", rows)
    cutd.ok("text", "render", "--model", smollm2, "--input", source, "--output", tmp_path / "out.jsonl")
    for row in read_rows(tmp_path / "out.jsonl"):
        assert row["text"] == cases[row["id"]]["rendered"]
        assert row["ids"] == cases[row["id"]]["ids"]


@pytest.mark.parametrize("iteration", [1, 2, 3, 4])
def test_published_iterations_prepare_as_the_authors_code_does(cutd, golden, smollm2, iteration):
    expected = json.loads((golden / "data-prep/downsampling.json").read_text())["iterations"][f"iter{iteration}"]
    text = cutd.ok("data", "prepare", "--data", SHARED / f"data/cut-iterations/iter{iteration}.json", "--model", smollm2,
                   "--downsample", 0.25, "--json")
    rows = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    kept = [i for i, row in enumerate(rows) if row["kept"]]
    assert len(rows) == 1000 and len(kept) == expected["n_train"]
    assert [i for i in kept if rows[i]["kind"] == "align_p"] == expected["kept_positive_positions"]
    if iteration == 1:
        for triplet in json.loads((golden / "data-prep/triplets.json").read_text())["triplets"]:
            row = rows[triplet["position"]]
            assert row["plain"]["ids"] == triplet["plain"]["ids"]
            assert row["plain"]["n_masked"] == triplet["plain"]["n_masked"]
            if triplet["kind"] == "align_n":
                assert row["judged"]["ids"] == triplet["judged"]["ids"]


def test_python_tokenizers_agrees_on_the_imported_tokenizer(cutd, smollm2, tmp_path):
    import tokenizers

    reference = tokenizers.Tokenizer.from_file(str(smollm2 / "tokenizer.json"))
    texts = ["x =   5", "naïve café — 12345", "if (a<b) { return; }", "日本語 and émoji 🎉🎉", "   \n\n\t tabs"]
    source = write_rows(tmp_path / "in.jsonl", [{"id": i, "text": t} for i, t in enumerate(texts)])
    cutd.ok("text", "encode", "--model", smollm2, "--input", source, "--output", tmp_path / "out.jsonl")
    assert [row["ids"] for row in read_rows(tmp_path / "out.jsonl")] == [reference.encode(t).ids for t in texts]
