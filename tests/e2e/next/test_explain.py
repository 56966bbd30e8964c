"""`cutd-engine explain` against golden numbers."""

import json

import pytest

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
