"""`cutd-engine explain`, `train` and `merge` against golden numbers and the real Hugging Face + PEFT."""

import hashlib
import json

import pytest

from conftest import read_rows, write_rows

FLAGS = {"lambda": "--lambda", "threshold": "--lambda", "alpha": "--alpha", "weight_unlike": "--alpha", "gamma": "--gamma"}


def explain(engine, golden, tmp_path, case):
    folder = golden / "cut-loss/tiny-llama"
    pool = json.loads((folder / "samples.json").read_text())["pool"]
    chosen = [next(s for s in pool if s["id"] == i) for i in case["sample_ids"]]
    (tmp_path / "samples.json").write_text(json.dumps({"samples": chosen}))
    settings = case["settings"]
    flags = [x for key, value in settings.items() if key in FLAGS for x in (FLAGS[key], value)]
    if "use" in settings:
        if "L1" not in settings["use"]:
            flags += ["--misalign-weight", 0, "--alpha", 0]
        if "L2P" not in settings["use"]:
            flags += ["--align-p-weight", 0]
        if "L2N" not in settings["use"]:
            flags += ["--align-n-weight", 0]
        if "L1" not in settings["use"]:
            flags = [f for i, f in enumerate(flags) if not (f == "--alpha" and flags[i + 1] == settings.get("alpha"))
                     and not (i and flags[i - 1] == "--alpha" and f == settings.get("alpha") and f != 0)]
    if settings.get("detect") is False:
        flags += ["--no-detection"]
    if "micro_batch_size" in case:
        flags += ["--micro-batch", case["micro_batch_size"]]
    engine.ok("explain", "--model", golden / "models/llama", "--adapter", folder / "adapter", "--samples", tmp_path / "samples.json",
              "--objective", "cut", "--variant", case["variant"], *flags, "--output", tmp_path / "out.json",
              "--gradients", tmp_path / "gradients.safetensors")
    return json.loads((tmp_path / "out.json").read_text())


def case_names():
    return ["paper", "paper-offline-like", "paper-gamma2-alpha025", "ablation-no-L1", "ablation-no-L2-alignP", "ablation-no-L2-alignN",
            "ablation-no-detection", "ablation-no-dynamic-weight", "ablation-alpha0", "released-micro1", "released-micro4",
            "released-offline-micro1", "released-offline-micro4", "released-threshold0-micro1", "released-threshold-inf-micro1"]


@pytest.mark.parametrize("name", case_names())
def test_explain_matches_the_golden_objective(engine, golden, tmp_path, name):
    case = json.loads((golden / "cut-loss/tiny-llama/cases.json").read_text())[name]
    out = explain(engine, golden, tmp_path, case)
    assert out["loss"] == pytest.approx(case["total"], rel=1e-5)
    for got, expected in zip(out["samples"], case["samples"]):
        assert got["id"] == expected["id"]
        assert got["logp_plain"] == pytest.approx(expected["logp_plain"], rel=1e-4, abs=1e-4)
        if "U" in expected:
            assert [int(d) for d in got["detected"]] == expected["U"]
    for parameter, norm in case["grad_norms"].items():
        assert out["grad_norms"][parameter] == pytest.approx(norm, rel=1e-4, abs=1e-7)


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture()
def triplets(tmp_path):
    """Twelve triplets of our own, four of them satisfactory."""
    rows = []
    for i in range(12):
        rows.append({"id": i, "instruction": f"Say why number {i} is interesting.", "input": "",
                     "output": f"The number {i} is interesting because people count with it every day.",
                     "judgment": None if i % 3 == 0 else f"The response does not name a property of {i}."})
    path = tmp_path / "triplets.json"
    path.write_text(json.dumps(rows))
    return path


def train(engine, model, data, output, *flags):
    text = engine.ok("train", "--model", model, "--data", data, "--output", output, "--json", "--learning-rate", 1e-3,
                     "--gradient-accumulation-steps", 2, "--num-train-epochs", 2, "--seed", 5, *flags)
    return [json.loads(line) for line in text.splitlines() if '"step"' in line]


def test_a_resumed_training_equals_an_uninterrupted_one(engine, tiny_model, triplets, tmp_path):
    whole = train(engine, tiny_model, triplets, tmp_path / "whole", "--save-steps", 2)
    first = train(engine, tiny_model, triplets, tmp_path / "resumed", "--save-steps", 2, "--max-steps", 5)
    rest = train(engine, tiny_model, triplets, tmp_path / "resumed", "--save-steps", 2, "--resume")
    assert len(whole) == 12
    losses = {row["step"]: row["loss"] for row in first + rest}
    assert losses == {row["step"]: row["loss"] for row in whole}
    assert sha256(tmp_path / "whole/adapter_model.safetensors") == sha256(tmp_path / "resumed/adapter_model.safetensors")


def test_peft_loads_the_adapter_and_computes_the_same(engine, tiny_model, triplets, tmp_path):
    import peft
    import torch
    import transformers

    train(engine, tiny_model, triplets, tmp_path / "adapter")
    ids = list(range(40, 72))
    source = write_rows(tmp_path / "in.jsonl", [{"id": 0, "ids": ids}])
    engine.ok("logprobs", "--model", tiny_model, "--adapter", tmp_path / "adapter", "--input", source, "--output", tmp_path / "out.jsonl")
    engine.ok("logprobs", "--model", tiny_model, "--input", source, "--output", tmp_path / "base.jsonl")
    model = peft.PeftModel.from_pretrained(transformers.AutoModelForCausalLM.from_pretrained(tiny_model), tmp_path / "adapter")
    with torch.no_grad():
        logp = torch.log_softmax(model(torch.tensor([ids])).logits[0].float(), -1)
    expected = [logp[t, ids[t + 1]].item() for t in range(len(ids) - 1)]
    (row,) = read_rows(tmp_path / "out.jsonl")
    assert row["logprobs"][1:] == pytest.approx(expected, abs=1e-4)
    assert row["logprobs"][1:] != pytest.approx(read_rows(tmp_path / "base.jsonl")[0]["logprobs"][1:], abs=1e-4)


def test_a_merged_model_loads_in_transformers(engine, tiny_model, triplets, tmp_path):
    import torch
    import transformers

    train(engine, tiny_model, triplets, tmp_path / "adapter")
    engine.ok("merge", "--model", tiny_model, "--adapter", tmp_path / "adapter", "--output", tmp_path / "merged")
    ids = list(range(40, 72))
    source = write_rows(tmp_path / "in.jsonl", [{"id": 0, "ids": ids}])
    engine.ok("logprobs", "--model", tiny_model, "--adapter", tmp_path / "adapter", "--input", source, "--output", tmp_path / "out.jsonl")
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "merged", dtype=torch.float32)
    with torch.no_grad():
        logp = torch.log_softmax(model(torch.tensor([ids])).logits[0].float(), -1)
    expected = [logp[t, ids[t + 1]].item() for t in range(len(ids) - 1)]
    assert read_rows(tmp_path / "out.jsonl")[0]["logprobs"][1:] == pytest.approx(expected, abs=1e-3)


def test_an_unknown_configuration_key_is_named(engine, tiny_model, triplets, tmp_path):
    (tmp_path / "train.yaml").write_text("train:\n  learning_rat: 1\n")
    done = engine("train", "--model", tiny_model, "--data", triplets, "--output", tmp_path / "a", "--config", tmp_path / "train.yaml")
    assert done.returncode == 2
    assert "learning_rat" in done.stderr and "train.yaml" in done.stderr


def test_a_broken_triplet_is_named(engine, tiny_model, tmp_path):
    (tmp_path / "t.json").write_text(json.dumps([{"id": 0, "instruction": "a", "input": "", "output": "b", "judgment": None}, {"id": 1}]))
    done = engine("train", "--model", tiny_model, "--data", tmp_path / "t.json", "--output", tmp_path / "a")
    assert done.returncode == 3
    assert "t.json" in done.stderr and "instruction" in done.stderr
