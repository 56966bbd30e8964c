// What the stories share: an empty folder, the daemon, a tiny model, a browser, and people who arrive by their links.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { launch, type Watch, watch } from "./browser";
import { Daemon } from "./daemon";
import { make_tiny_model } from "./models";

const kNouns = ["hammer", "river", "violin", "compass", "garden", "bridge", "candle", "mirror", "ladder", "window"];

/** A run's longest time on a loaded machine. */
export const kRunMs = 240_000;

export interface Person {
  context: BrowserContext;
  page: Page;
  seen: Watch;
}

export class Stage {
  private constructor(
    private readonly folder: string,
    private readonly browser: Browser,
    readonly daemon: Daemon,
  ) {}

  static async build(): Promise<Stage> {
    const folder = mkdtempSync(join(tmpdir(), "cutd-story-"));
    make_tiny_model(join(folder, "tiny"));
    const [browser, daemon] = await Promise.all([launch(), Daemon.start()]);
    return new Stage(folder, browser, daemon);
  }

  async clear(): Promise<void> {
    await this.browser.close();
    await this.daemon.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The path of a run's config: one round of six responses. `annotators` is a line of YAML; without it the rule judges. */
  write_config(annotators = ""): string {
    const rows = (nouns: string[]) =>
      nouns.map((noun) => `${JSON.stringify({ instruction: `Explain what a ${noun} is used for.` })}\n`).join("");
    writeFileSync(join(this.folder, "train.jsonl"), rows(kNouns.slice(0, 6)));
    writeFileSync(join(this.folder, "gate.jsonl"), rows(kNouns.slice(6, 8)));
    writeFileSync(join(this.folder, "report.jsonl"), rows(kNouns.slice(8, 10)));
    const guards =
      "mean_words_low: 0, mean_words_high: 1e6, distinct_2_low: 0, distinct_2_high: 1e6, perplexity_low: 0, perplexity_high: 1e6";
    const path = join(this.folder, "story.yaml");
    writeFileSync(
      path,
      `name: story
model: ${join(this.folder, "tiny")}
threads: 1
template: {name: chat, system: Answer briefly.}
data: {train: train.jsonl, gate: gate.jsonl, report: report.jsonl, instructions_per_round: 6, min_training_examples: 2}
generation: {max_new_tokens: 12, unit_prompts: 3, max_batch: 4}
${annotators}
lora: {r: 4, alpha: 4}
train: {learning_rate: 1e-3, gradient_accumulation_steps: 2, save_steps: 1}
evaluation: {margin: 1, bootstrap_resamples: 200, guards: {${guards}}}
run: {rounds: 1, min_free_disk_mb: 0}
`,
    );
    return path;
  }

  /** A new account, and its browser, opened with the link that the operator would send. */
  async arrive(name: string, role: string, viewport: { width: number; height: number }): Promise<Person> {
    const said = this.daemon.cutd("user", "add", name, "--role", role, "--url", this.daemon.address);
    const link = /http:\S+\/login#\S+/.exec(said)?.[0];
    if (link === undefined) throw new Error(`no login link in: ${said}`);
    const context = await this.browser.newContext({ viewport, bypassCSP: false });
    const seen = watch(context, this.daemon.address);
    const page = await context.newPage();
    await page.goto(link);
    return { context, page, seen };
  }
}
