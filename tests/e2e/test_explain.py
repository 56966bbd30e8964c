"""`cutd-engine explain` against the golden losses, detected sets and gradients of both CUT variants."""

import json
import math

import pytest

from conftest import read_rows, write_rows

FLAGS = {"lambda": "--lambda", "threshold": "--lambda", "alpha": "--alpha", "weight_unlike": "--alpha", "gamma": "--gamma"}
CASES = ["paper", "paper-offline-like", "paper-gamma2-alpha025", "ablation-no-L1", "ablation-no-L2-alignP", "ablation-no-L2-alignN",
         "ablation-no-detection", "ablation-no-dynamic-weight", "ablation-alpha0", "released-micro1", "released-micro4",
         "released-offline-micro1", "released-offline-micro4", "released-threshold0-micro1", "released-threshold-inf-micro1"]


def objective_flags(case):
    settings = dict(case["settings"])
    flags = ["--objective", "cut", "--variant", case["variant"], "--micro-batch", case.get("micro_batch_size", 1)]
    use = settings.get("use", ["L1", "L2P", "L2N"])
    if "L1" not in use:
        settings["alpha"] = 0
        flags += ["--misalign-weight", 0]
    flags += ["--align-p-weight", 0] if "L2P" not in use else []
    flags += ["--align-n-weight", 0] if "L2N" not in use else []
    flags += ["--no-detection"] if settings.get("detect") is False else []
    for key, value in settings.items():
        flags += [FLAGS[key], value] if key in FLAGS else []
    return flags


@pytest.fixture()
def explain(engine, tmp_path):
    def run(model, adapter, samples, *flags):
        source = tmp_path / "samples.json"
        source.write_text(json.dumps(samples))
        engine.ok("explain", "--model", model, *(["--adapter", adapter] if adapter else []), "--samples", source, "--output",
                  tmp_path / "out.json", *flags)
        return json.loads((tmp_path / "out.json").read_text())

    return run


@pytest.fixture()
def tiny(golden):
    """The tiny Llama with its adapter, its pool of samples, and how to choose from it."""
    folder = golden / "cut-loss/tiny-llama"
    pool = {s["id"]: s for s in json.loads((folder / "samples.json").read_text())["pool"]}
    return golden / "models/llama", folder / "adapter", lambda ids: [pool[i] for i in ids]


def near(expected, relative, absolute=0.0):
    return pytest.approx([float(x) for x in expected], rel=relative, abs=absolute)


def compare_samples(out, case):
    """Token values and terms; six significant digits are recorded of the former."""
    released = case["variant"] == "released"
    use = case["settings"].get("use", ["L1", "L2P", "L2N"])
    assert len(out["samples"]) == len(case["samples"])
    for got, expected in zip(out["samples"], case["samples"]):
        assert got["id"] == expected["id"]
        assert got["kind"] == expected["kind"]
        assert got["logp_plain"] == near(expected["logp_plain"], 1e-4, 1e-4)
        if expected["kind"] == "align_p":
            assert got["logp_judge"] is None
            assert got["detected"] == []
        else:
            assert got["logp_judge"] == near(expected["logp_judge"], 1e-4, 1e-4)
            assert [float(r) for r in got["ratio"]] == near(expected["ratio_judge_over_plain"], 1e-3)
            assert [int(d) for d in got["detected"]] == expected["U"]
        if released:
            continue
        assert got["loss"] == pytest.approx(expected["total"], rel=1e-5)
        assert got["l2"] == pytest.approx(expected["L2"], rel=1e-5)
        if expected["kind"] == "align_n" and "L1" in use:
            assert got["l1"] == pytest.approx(expected["L1"], rel=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_every_golden_case_of_the_tiny_model_matches(explain, golden, tiny, name):
    case = json.loads((golden / "cut-loss/tiny-llama/cases.json").read_text())[name]
    model, adapter, samples = tiny
    out = explain(model, adapter, {"samples": samples(case["sample_ids"])}, *objective_flags(case))
    assert out["loss"] == pytest.approx(case["total"], rel=1e-5)
    compare_samples(out, case)
    assert out["grad_norms"].keys() == case["grad_norms"].keys()
    for parameter, norm in case["grad_norms"].items():
        assert out["grad_norms"][parameter] == pytest.approx(norm, rel=1e-4, abs=1e-7)
    assert out["grad_norm"] == pytest.approx(case["grad_norm_total"], rel=1e-4)
    for got, expected in zip(out.get("micro_batches", []), case.get("micro_batches", [])):
        assert got["like"] == pytest.approx(expected["like"], rel=1e-5)
        assert got["loss"] == pytest.approx(expected["total"], rel=1e-5)
        assert got["unlike"] == (None if expected["unlike"] is None else pytest.approx(expected["unlike"], rel=1e-5))
    assert len(out.get("micro_batches", [])) == len(case.get("micro_batches", []))


def test_no_golden_case_is_left_out(golden):
    assert sorted(json.loads((golden / "cut-loss/tiny-llama/cases.json").read_text())) == sorted(CASES)


@pytest.mark.parametrize("prefix, name", [("paper", "paper"), ("released", "released-micro1")])
def test_every_entry_of_the_gradient_matches(explain, golden, tiny, tmp_path, prefix, name):
    import safetensors.numpy

    case = json.loads((golden / "cut-loss/tiny-llama/cases.json").read_text())[name]
    model, adapter, samples = tiny
    explain(model, adapter, samples(case["sample_ids"]), *objective_flags(case), "--gradients", tmp_path / "g.safetensors")
    got = safetensors.numpy.load_file(tmp_path / "g.safetensors")
    expected = {key.removeprefix(prefix + "."): value
                for key, value in safetensors.numpy.load_file(golden / "cut-loss/tiny-llama/gradients.safetensors").items()
                if key.startswith(prefix + ".")}
    assert got.keys() == expected.keys()
    for parameter, values in expected.items():
        assert abs(got[parameter] - values).max() <= 1e-4 * abs(values).max(), parameter


def test_likelihood_of_satisfactory_responses_matches(explain, golden, tiny):
    case = json.loads((golden / "cut-loss/tiny-llama/baselines.json").read_text())["sft-on-positives"]
    model, adapter, samples = tiny
    out = explain(model, adapter, samples(case["sample_ids"]), "--objective", "mle")
    assert out["loss"] == pytest.approx(case["total"], rel=1e-5)
    assert [s["loss"] for s in out["samples"]] == near(case["per_sample"], 1e-5)
    for parameter, norm in case["grad_norms"].items():
        assert out["grad_norms"][parameter] == pytest.approx(norm, rel=1e-4, abs=1e-7)
    # Criticised responses are left out of this objective, as they are of its training.
    mixed = explain(model, adapter, samples([0, *case["sample_ids"]]), "--objective", "mle")
    assert mixed["loss"] == pytest.approx(case["total"], rel=1e-5)
    assert mixed["samples"][0]["loss"] is None


def test_likelihood_given_the_judgment_matches_hindsight(explain, golden, tiny):
    case = json.loads((golden / "cut-loss/tiny-llama/baselines.json").read_text())["hindsight"]
    model, adapter, samples = tiny
    out = explain(model, adapter, samples(case["sample_ids"]), "--misalign-weight", 0, "--alpha", 0)
    assert out["loss"] == pytest.approx(case["total"], rel=1e-5)
    for parameter, norm in case["grad_norms"].items():
        assert out["grad_norms"][parameter] == pytest.approx(norm, rel=1e-4, abs=1e-7)


def hash_uniform(rows, columns, seed, scale):
    """The golden README's rule: values of an integer hash of position and seed."""
    import numpy

    k = numpy.arange(1, rows * columns + 1, dtype=numpy.uint64)
    u = (k * numpy.uint64(2654435761) + numpy.uint64(seed * 40503)) % numpy.uint64(2**32)
    u ^= u >> numpy.uint64(15)
    u = u * numpy.uint64(2246822519) % numpy.uint64(2**32)
    u ^= u >> numpy.uint64(13)
    return ((u.astype(numpy.float64) / 2**32 - 0.5) * 2 * scale).astype(numpy.float32).reshape(rows, columns)


def write_hash_adapter(folder, record, config):
    import safetensors.numpy

    lora, init = record["lora"], record["lora_init"]
    sizes = {"down_proj": (config["intermediate_size"], config["hidden_size"])}
    tensors = {}
    for k, name in enumerate(init["names"]):
        inputs, outputs = sizes.get(name.split(".")[-3], (config["hidden_size"], config["intermediate_size"]))
        if ".lora_A." in name:
            tensors[name] = hash_uniform(lora["r"], inputs, init["seed0"] + k, 1 / math.sqrt(inputs))
        else:
            tensors[name] = hash_uniform(outputs, lora["r"], init["seed0"] + k, init["scale_B"])
    folder.mkdir()
    safetensors.numpy.save_file(tensors, folder / "adapter_model.safetensors", {"format": "pt"})
    (folder / "adapter_config.json").write_text(json.dumps({
        "peft_type": "LORA", "r": lora["r"], "lora_alpha": lora["alpha"], "lora_dropout": 0.0, "target_modules": lora["targets"],
        "bias": "none", "task_type": "CAUSAL_LM"}))
    return folder


@pytest.mark.parametrize("name", ["released", "paper"])
def test_the_real_model_matches(explain, golden, smollm2, tmp_path, name):
    record = json.loads((golden / "cut-loss/smollm2.json").read_text())
    assert record["lora_init"]["names"] == sorted(record["lora_init"]["names"])
    adapter = write_hash_adapter(tmp_path / "adapter", record, json.loads((smollm2 / "config.json").read_text()))
    case = record["cases"][name]
    out = explain(smollm2, adapter, {"samples": record["samples"]}, *objective_flags(case))
    assert out["loss"] == pytest.approx(case["total"], rel=1e-4)
    for got, expected in zip(out["samples"], case["samples"]):
        assert got["logp_plain"] == near(expected["logp_plain"], 1e-3, 2e-3)
        if "U" in expected:
            assert got["logp_judge"] == near(expected["logp_judge"], 1e-3, 2e-3)
            assert [int(d) for d in got["detected"]] == expected["U"]
    assert out["grad_norms"].keys() == case["grad_norms"].keys()
    for parameter, norm in case["grad_norms"].items():
        assert out["grad_norms"][parameter] == pytest.approx(norm, rel=1e-3)
    assert out["grad_norm"] == pytest.approx(case["grad_norm_total"], rel=1e-3)


def test_bfloat16_stays_near_float32(explain, tiny):
    model, adapter, samples = tiny
    exact = explain(model, adapter, samples(range(8)))
    rounded = explain(model, adapter, samples(range(8)), "--dtype", "bfloat16")
    assert rounded["loss"] == pytest.approx(exact["loss"], rel=0.02)
    assert rounded["grad_norm"] == pytest.approx(exact["grad_norm"], rel=0.05)


def test_all_forms_of_the_input_and_any_id_are_taken(explain, tiny):
    model, adapter, samples = tiny
    chosen = [dict(s, id=i) for s, i in zip(samples([0, 1, 2]), ["zero", None, {"row": [2]}])]
    bare = explain(model, adapter, chosen)
    assert [s["id"] for s in bare["samples"]] == ["zero", None, {"row": [2]}]
    assert explain(model, adapter, {"pool": chosen}) == explain(model, adapter, {"samples": chosen}) == bare


def test_without_an_adapter_the_base_itself_is_explained(explain, engine, tiny, tmp_path):
    model, adapter, samples = tiny
    (sample,) = samples([0])
    out = explain(model, None, [sample])
    assert out["grad_norms"] == {}
    source = write_rows(tmp_path / "in.jsonl", [{"id": 0, "ids": sample["prompt_ids"] + sample["response_ids"]}])
    engine.ok("logprobs", "--model", model, "--input", source, "--output", tmp_path / "logprobs.jsonl")
    (row,) = read_rows(tmp_path / "logprobs.jsonl")
    assert out["samples"][0]["logp_plain"] == pytest.approx(row["logprobs"][len(sample["prompt_ids"]):], abs=1e-4)
    done = engine("explain", "--model", model, "--samples", tmp_path / "samples.json", "--output", tmp_path / "o.json", "--gradients",
                  tmp_path / "g.safetensors")
    assert done.returncode == 2
    assert "--adapter" in done.stderr


GOOD = {"id": 1, "kind": "align_n", "prompt_ids": [1, 5], "prompt_judge_ids": [1, 6], "response_ids": [7, 2]}


@pytest.mark.parametrize("content, named", [
    ("[", "samples.json"),
    ("[]", "no sample"),
    ('{"rows": []}', '"samples"'),
    (json.dumps([GOOD, {"id": 2}]), "sample 2"),
    (json.dumps([dict(GOOD, kind="bad")]), "align_p"),
    (json.dumps([{k: v for k, v in GOOD.items() if k != "prompt_judge_ids"}]), "prompt_judge_ids"),
    (json.dumps([dict(GOOD, response_ids=[])]), "response_ids"),
    (json.dumps([dict(GOOD, prompt_ids=[])]), "prompt_ids"),
    (json.dumps([dict(GOOD, response_ids=[7, 99999])]), "99999"),
    (json.dumps([dict(GOOD, response_ids=[7, -1])]), "-1"),
    (json.dumps([dict(GOOD, response_ids="seven")]), "response_ids"),
])
def test_unusable_samples_are_named(engine, golden, tmp_path, content, named):
    (tmp_path / "samples.json").write_text(content)
    done = engine("explain", "--model", golden / "models/llama", "--samples", tmp_path / "samples.json", "--output", tmp_path / "out.json")
    assert done.returncode == 3, done.stderr
    assert named in done.stderr and "samples.json" in done.stderr
    assert not (tmp_path / "out.json").exists()


@pytest.mark.parametrize("flags, named", [
    (["--alpha", "-1"], "alpha"), (["--variant", "other"], "variant"), (["--micro-batch", "0"], "micro-batch"), (["--lambda", "x"], "lambda"),
    (["--no-such-flag"], "no-such-flag"), (["--device", "cuda:99"], "cuda"), (["--dtype", "int8"], "int8"),
])
def test_wrong_flags_are_named(engine, golden, tmp_path, flags, named):
    (tmp_path / "samples.json").write_text(json.dumps([GOOD]))
    done = engine("explain", "--model", golden / "models/llama", "--samples", tmp_path / "samples.json", "--output", tmp_path / "out.json", *flags)
    assert done.returncode == 2, done.stderr
    assert named in done.stderr


def test_help_shows_an_example(engine):
    assert "cutd-engine explain --model" in engine.ok("explain", "--help")
