"""Adapters written by src/weights/peft, loaded by Hugging Face PEFT.

Runs with the reference venv. CUTD_BIN: folder with the built weights_test. CUTD_SHARED: folder with data/golden
(default: shared beside the checkout)."""
import json
import os
import pathlib
import subprocess

import pytest

torch = pytest.importorskip("torch")
peft = pytest.importorskip("peft")
transformers = pytest.importorskip("transformers")

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = pathlib.Path(os.environ.get("CUTD_SHARED", ROOT.parent / "shared"))
MODEL = SHARED / "data/golden/models/llama"
PROGRAM = pathlib.Path(os.environ.get("CUTD_BIN", ROOT / "build/release/bin")) / "weights_test"

pytestmark = [
    pytest.mark.skipif(not MODEL.exists(), reason="golden data (../shared) is not here"),
    pytest.mark.skipif(not PROGRAM.exists(), reason=f"{PROGRAM} is not built"),
]


@pytest.fixture(scope="module")
def adapters(tmp_path_factory):
    folder = tmp_path_factory.mktemp("adapters")
    environment = dict(os.environ, CUTD_EXPORT_DIR=str(folder), CUTD_SHARED=str(SHARED))
    subprocess.run([PROGRAM, "--gtest_filter=PeftExportTest.*"], env=environment, check=True, capture_output=True)
    return folder


def base_model():
    return transformers.AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32)


def loaded(folder):
    return peft.PeftModel.from_pretrained(base_model(), folder).eval()


def logits(model):
    ids = torch.tensor([[1, 5, 9, 200, 17, 42, 300, 7]])
    with torch.no_grad():
        return model(ids).logits


@pytest.mark.filterwarnings("error:.*missing.*keys.*")
@pytest.mark.parametrize("name,rank,scale", [("parent", 4, 1.5), ("delta", 3, 5 / 3), ("sum", 7, 1.0)])
def test_peft_loads_every_matrix(adapters, name, rank, scale):
    model = loaded(adapters / name)
    stored = {}
    from safetensors.torch import load_file
    for key, value in load_file(adapters / name / "adapter_model.safetensors").items():
        stored[key.replace(".weight", ".default.weight")] = value
    in_model = {key: value for key, value in model.state_dict().items() if "lora_" in key}
    assert set(in_model) == set(stored)
    for key, value in stored.items():
        assert torch.equal(in_model[key], value), key
    layers = [module for module in model.modules() if isinstance(module, peft.tuners.lora.LoraLayer)]
    assert layers
    assert {module.r["default"] for module in layers} == {rank}
    assert all(abs(module.scaling["default"] - scale) < 1e-12 for module in layers)


def test_the_sum_does_what_parent_and_delta_do(adapters):
    base = logits(base_model())
    parent_merged = loaded(adapters / "parent").merge_and_unload()
    both = logits(peft.PeftModel.from_pretrained(parent_merged, adapters / "delta").eval())
    joint = logits(loaded(adapters / "sum"))
    assert (both - base).abs().max() > 1e-2
    assert (both - joint).abs().max() < 2e-5


def test_safetensors_bytes_equal_hugging_faces_writer(adapters):
    from safetensors import safe_open
    from safetensors.torch import load_file, save
    path = adapters / "sum" / "adapter_model.safetensors"
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    assert save(load_file(path), metadata=metadata) == path.read_bytes()


def test_config_has_every_key_peft_writes_for_plain_lora(adapters):
    written = json.loads((adapters / "sum" / "adapter_config.json").read_text())
    config = peft.LoraConfig.from_pretrained(adapters / "sum")
    assert config.target_modules == set(written["target_modules"])
    assert written["target_modules"] == sorted(written["target_modules"])
    assert config.peft_type == peft.PeftType.LORA and config.inference_mode
