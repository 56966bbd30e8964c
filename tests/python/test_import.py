"""`cutd model import` of the SmolLM2 GGUF, checked with Hugging Face transformers.

Runs with the reference venv. CUTD_BIN: folder with the built programs. CUTD_CACHE_DIR: the cache of scripts/setup,
which holds models/SmolLM2-135M-Instruct.Q4_1.gguf."""
import json
import os
import pathlib
import stat
import subprocess

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("CUTD_CACHE_DIR", pathlib.Path.home() / ".cache/cutd"))
GGUF = CACHE / "models/SmolLM2-135M-Instruct.Q4_1.gguf"
CUTD = pathlib.Path(os.environ.get("CUTD_BIN", ROOT / "build/release/bin")) / "cutd"

pytestmark = [
    pytest.mark.skipif(not GGUF.exists(), reason=f"{GGUF} is not here: run scripts/setup"),
    pytest.mark.skipif(not CUTD.exists(), reason=f"{CUTD} is not built"),
]


def run_import(source, output, **environment):
    command = [CUTD, "model", "import", source, "--output", output]
    return subprocess.run(command, capture_output=True, text=True, env=dict(os.environ, **environment))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    output = tmp_path_factory.mktemp("import") / "smollm2"
    result = run_import(GGUF, output)
    assert result.returncode == 0, result.stderr
    return output


@pytest.fixture(scope="module")
def model(folder):
    return transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def test_weights_equal_transformers_gguf_path_bit_for_bit(folder):
    from safetensors.torch import load_file
    reference = transformers.AutoModelForCausalLM.from_pretrained(GGUF.parent, gguf_file=GGUF.name, dtype=torch.float32)
    expected = {name: tensor.to(torch.bfloat16) for name, tensor in reference.state_dict().items()}
    expected.pop("lm_head.weight")  # tied
    imported = load_file(folder / "model.safetensors")
    assert set(imported) == set(expected)
    for name, tensor in imported.items():
        assert tensor.dtype == torch.bfloat16
        assert torch.equal(tensor.view(torch.int16), expected[name].view(torch.int16)), name


def test_files_are_readable_by_others(folder):
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o644, path


def test_config_says_what_both_versions_of_transformers_read(folder, model):
    raw = json.loads((folder / "config.json").read_text())
    assert raw["rope_theta"] == raw["rope_parameters"]["rope_theta"] == 100000
    assert raw["torch_dtype"] == raw["dtype"] == "bfloat16"
    config = model.config
    assert (config.num_hidden_layers, config.hidden_size, config.num_key_value_heads) == (30, 576, 3)
    assert config.tie_word_embeddings and config.rms_norm_eps == 1e-5
    assert config.rope_parameters["rope_theta"] == 100000
    assert model.lm_head.weight.data_ptr() == model.model.embed_tokens.weight.data_ptr()
    assert model.generation_config.eos_token_id == 2


def test_greedy_answer_names_paris(folder, model):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    messages = [{"role": "user", "content": "What is the capital of France?"}]
    prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    output = model.generate(**prompt, max_new_tokens=20, do_sample=False)
    answer = tokenizer.decode(output[0, prompt["input_ids"].shape[1]:])
    assert answer == "The capital of France is Paris.<|im_end|>"


def test_runs_of_spaces_before_digits_keep_their_ids(folder):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    assert tokenizer.encode("x =   5", add_special_tokens=False) == [104, 446, 333, 37]


def test_importing_again_says_that_it_is_there(folder):
    before = (folder / "model.safetensors").stat().st_mtime_ns
    result = run_import(GGUF, folder)
    assert result.returncode == 0
    assert "was imported before" in result.stdout
    assert (folder / "model.safetensors").stat().st_mtime_ns == before


def test_an_imported_folder_can_be_imported(folder, tmp_path):
    assert run_import(folder, tmp_path / "copy").returncode == 0
    assert (tmp_path / "copy/model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()


def test_another_folder_and_a_broken_file_are_refused(folder, tmp_path):
    (tmp_path / "something").mkdir()
    refused = run_import(GGUF, tmp_path / "something")
    assert refused.returncode == 2 and "is not an imported model" in refused.stderr
    (tmp_path / "broken.gguf").write_bytes(GGUF.read_bytes()[:1_000_000])
    broken = run_import(tmp_path / "broken.gguf", tmp_path / "out")
    assert broken.returncode == 3 and "broken.gguf" in broken.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("fault", ["write:9", "fsync:3", "rename:2"])
def test_a_full_disk_is_named_and_leaves_nothing(tmp_path, fault):
    failed = run_import(GGUF, tmp_path / "out", CUTD_FAIL_IO=fault)
    assert failed.returncode == 1 and "No space left on device" in failed.stderr
    assert list(tmp_path.iterdir()) == []
