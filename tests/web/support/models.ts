// Models for the story: made by Python's transformers, as the end-to-end tests make theirs.
import { execFileSync } from "node:child_process";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { kBin } from "./daemon";

const kCache =
  process.env["CUTD_CACHE_DIR"] ?? join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "cutd");

export function make_tiny_model(folder: string): void {
  const script = fileURLToPath(new URL("tiny_model.py", import.meta.url));
  const gguf = join(kCache, "models/SmolLM2-135M-Instruct.Q4_1.gguf");
  execFileSync(join(kCache, "python-reference/bin/python"), [script, join(kBin, "cutd"), gguf, folder], {
    stdio: "pipe",
  });
}
