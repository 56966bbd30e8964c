"""The demo's results as a page: docs/results.md. Run by scripts/results.

One shared set of round-0 responses and judgments (checked: every training's manifest has the same SHA-256), then one
training and evaluation each of three recipes at equal optimiser steps with three seeds, and one whole run of the shipped
recipe. All by `cutd demo` with flags; the page says which. Run again after an interruption, finished runs are reused.
"""

import argparse
import json
import pathlib
import platform
import sqlite3
import statistics
import subprocess
import sys
import time

SEEDS = (1, 2, 3)
# The steps that one epoch of the shipped recipe takes are counted in the first training; the others get as many.
RECIPES = {
    "contrast": ("the shipped recipe: unlikelihood of detected tokens, likelihood of satisfactory responses", []),
    "alpha 0": ("the same without unlikelihood (`--objective.alpha 0`)", ["--objective.alpha", "0"]),
    "likelihood only": ("likelihood of satisfactory responses (`--objective.name mle`), repeated up to the same number of steps",
                        ["--objective.name", "mle"]),
}


def demo(options, name, flags):
    command = [f"{options.bin}/cutd", "demo", "--config", options.config, "--data-dir", options.data_dir, "--json", "--name", name, *flags]
    print("$ " + " ".join(command), file=sys.stderr, flush=True)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"cutd demo ended with {done.returncode}; {options.data_dir}/cutd.log has the details")
    return json.loads(done.stdout.splitlines()[-1])


def manifest_of(options, round_id):
    with sqlite3.connect(f"file:{options.data_dir}/cutd.db?mode=ro", uri=True) as store:
        return store.execute("SELECT sha256, positives, negatives FROM manifest WHERE round_id = ?", [round_id]).fetchone()


def train_all(options):
    """{recipe: [result of each seed]}, and the one manifest that all of them trained on."""
    results, manifests, steps = {}, set(), None
    for recipe, (_, flags) in RECIPES.items():
        results[recipe] = []
        for seed in SEEDS:
            more = ["--run.rounds", "1", "--train.seed", str(seed), *flags]
            if steps is not None:  # enough passes over the data, cut off and scheduled at the first training's steps
                more += ["--train.num_train_epochs", "20", "--train.max_steps", str(steps), "--train.total_steps", str(steps)]
            result = demo(options, f"results-{recipe.replace(' ', '-')}-{seed}", more)
            entry = result["rounds"][0]
            steps = steps or entry["training_steps"]
            if entry["training_steps"] != steps:
                sys.exit(f"{recipe}, seed {seed}: {entry['training_steps']} steps instead of {steps}")
            manifests.add(manifest_of(options, entry["id"]))
            results[recipe].append(result)
    if len(manifests) != 1:
        sys.exit(f"the trainings did not share their data: {manifests}")
    return results, manifests.pop(), steps


def percent(score):
    low, high = score["interval"]
    return f"{100 * score['score']:.1f} ({100 * low:.1f} to {100 * high:.1f})"


def guards(score):
    return f"{score['mean_words']:.1f} / {score['distinct_2']:.2f} / {score['perplexity']:.2f} / {100 * score['ended']:.0f} %"


def seed_table(results):
    lines = ["| recipe | " + " | ".join(f"seed {seed}" for seed in SEEDS) + " | mean | spread |", "|---|" + "---|" * (len(SEEDS) + 2)]
    for recipe, runs in results.items():
        scores = [run["rounds"][0]["score"] * 100 for run in runs]
        cells = [percent(run["rounds"][0]) for run in runs]
        lines.append(f"| {recipe} | " + " | ".join(cells) + f" | {statistics.mean(scores):.1f} | {max(scores) - min(scores):.1f} |")
    return "\n".join(lines)


def guard_table(results):
    lines = ["| recipe | " + " | ".join(f"seed {seed}" for seed in SEEDS) + " |", "|---|" + "---|" * len(SEEDS)]
    for recipe, runs in results.items():
        lines.append(f"| {recipe} | " + " | ".join(guards(run["rounds"][0]["gate"]) for run in runs) + " |")
    return "\n".join(lines)


def run_table(run):
    lines = ["| round | gate: share of Perfect | difference to its parent | outcome | words / distinct-2 / perplexity / ended |", "|---|---|---|---|---|",
             f"| untrained | {percent(run['baseline'])} | | | {guards(run['baseline'])} |"]
    for entry in run["rounds"]:
        difference = entry["difference"]
        low, high = difference["interval"]
        lines.append(f"| {entry['number']} | {percent(entry)} | {100 * difference['value']:+.1f} ({100 * low:+.1f} to {100 * high:+.1f}) | "
                     f"{'promoted' if entry['promoted'] else 'rejected'} | {guards(entry['gate'])} |")
    return "\n".join(lines)


T_975 = 4.303  # Student's t at 2 degrees of freedom: three seeds


def claims(results, baseline):
    """What the figures show, said by rule: recipes differ where the 95 % interval of their difference, paired by seed, excludes 0."""
    scores = {recipe: [run["rounds"][0]["score"] * 100 for run in runs] for recipe, runs in results.items()}
    low, high = (100 * x for x in baseline["interval"])
    lines = []
    for recipe, values in scores.items():
        above = sum(run["rounds"][0]["interval"][0] > baseline["interval"][1] for run in results[recipe])
        lines.append(f"* {recipe}: in {above} of {len(values)} seeds the interval lies above the untrained model's ({low:.1f} to {high:.1f}).")
    names = list(scores)
    for i, left in enumerate(names):
        for right in names[i + 1:]:
            differences = [a - b for a, b in zip(scores[left], scores[right])]
            mean = statistics.mean(differences)
            half = T_975 * statistics.stdev(differences) / len(differences) ** 0.5
            verdict = "are not told apart by three seeds" if abs(mean) <= half else "differ"
            lines.append(f"* {left} and {right} {verdict}: {mean:+.1f} points ({mean - half:+.1f} to {mean + half:+.1f}).")
    return "\n".join(lines)


def processor():
    names = [line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    return f"{names[0]}, {len(names)} cores, {platform.system()} {platform.machine()}"


def page(options, results, manifest, steps, whole):
    baseline = results["contrast"][0]["baseline"]
    sha, positives, negatives = manifest
    recipes = "\n".join(f"* **{name}**: {text}." for name, (text, _) in RECIPES.items())
    return f"""# Results of the demo's recipe

Made by `scripts/results` (`bench/results.py`) on {time.strftime('%Y-%m-%d')}, on {processor()}. The figures are shares of
Perfect judgments by the rule annotator of `examples/demo.yaml`, in percent with 95 % Wilson intervals, on SmolLM2-135M-Instruct.
The instructions are the project's own; the recipe was chosen on others than these held-out ones.

## One training on the same responses and judgments, three recipes, three seeds

All nine trainings read the same manifest of round-0 responses ({positives} satisfactory, {negatives} criticised; SHA-256
`{sha[:16]}…`) and take {steps} optimiser steps:

{recipes}

Gate set ({baseline['count']} held-out instructions); the untrained model scores {percent(baseline)}:

{seed_table(results)}

Guards (mean words / distinct-2 / perplexity of the responses under the untrained model / share ended by the model
itself); untrained {guards(baseline)}:

{guard_table(results)}

What this shows, by rule (two recipes differ where the 95 % interval of their mean difference, paired by seed, excludes 0):

{claims(results, baseline)}

What it does not show: that unlikelihood is what helps a model of this size, unless the lines above say so; nor that the
answers are correct, which the annotator does not judge: they become shorter and end by themselves.

## One whole run of the shipped recipe

`scripts/demo` (seed 42), {whole['seconds']:.0f} s. Round 1's parent is the untrained model, later ones' the last promoted.

{run_table(whole)}

Report set ({whole['report_untrained']['count']} instructions that no decision reads), untrained to kept model:
**{percent(whole['report_untrained'])} to {percent(whole['report_kept'])}**.

One run with one seed: the table above says how far seeds move a round. The run ended: {whole['reason']}.
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True, help="folder of the built programs")
    parser.add_argument("--config", required=True, help="the recipe")
    parser.add_argument("--data-dir", required=True, help="holds the model under models/; keeps the runs")
    parser.add_argument("--output", required=True, help="the page")
    options = parser.parse_args()
    results, manifest, steps = train_all(options)
    # In a folder of its own, or it would reuse the evaluation of the untrained model and look faster than it is.
    whole_options = argparse.Namespace(**{**vars(options), "data_dir": options.data_dir + "-whole"})
    whole = demo(whole_options, "demo", [])
    pathlib.Path(options.output).write_text(page(options, results, manifest, steps, whole))


if __name__ == "__main__":
    main()
