// From an empty data folder, with nothing in place of anything: the daemon, the engine, a tiny model and an operator's
// browser. The operator starts a run judged by the rule annotator and watches it without touching the page.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { kDesktop, launch, shoot, type Watch, watch } from "../support/browser";
import { Daemon } from "../support/daemon";
import { make_tiny_model } from "../support/models";

const kNouns = ["hammer", "river", "violin", "compass", "garden", "bridge", "candle", "mirror", "ladder", "window"];
const kRunMs = 240_000; // on a loaded machine

let browser: Browser;
let daemon: Daemon;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "cutd-story-"));
  make_tiny_model(join(folder, "tiny"));
  [browser, daemon] = await Promise.all([launch(), Daemon.start()]);
}, 240_000);
afterAll(async () => {
  await browser?.close();
  await daemon?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function write_config(): string {
  const rows = (nouns: string[]) =>
    nouns.map((noun) => `${JSON.stringify({ instruction: `Explain what a ${noun} is used for.` })}\n`).join("");
  writeFileSync(join(folder, "train.jsonl"), rows(kNouns.slice(0, 6)));
  writeFileSync(join(folder, "gate.jsonl"), rows(kNouns.slice(6, 8)));
  writeFileSync(join(folder, "report.jsonl"), rows(kNouns.slice(8, 10)));
  const guards =
    "mean_words_low: 0, mean_words_high: 1e6, distinct_2_low: 0, distinct_2_high: 1e6, perplexity_low: 0, perplexity_high: 1e6";
  const path = join(folder, "story.yaml");
  writeFileSync(
    path,
    `name: story
model: ${join(folder, "tiny")}
threads: 1
template: {name: chat, system: Answer briefly.}
data: {train: train.jsonl, gate: gate.jsonl, report: report.jsonl, instructions_per_round: 6, min_training_examples: 2}
generation: {max_new_tokens: 12, unit_prompts: 3, max_batch: 4}
lora: {r: 4, alpha: 4}
train: {learning_rate: 1e-3, gradient_accumulation_steps: 2, save_steps: 1}
evaluation: {margin: 1, bootstrap_resamples: 200, guards: {${guards}}}
run: {rounds: 1, min_free_disk_mb: 0}
`,
  );
  return path;
}

interface Person {
  context: BrowserContext;
  page: Page;
  seen: Watch;
}

/** A new account, and its browser, opened with the link that the operator would send. */
async function arrive(name: string, role: string, viewport: { width: number; height: number }): Promise<Person> {
  const said = daemon.cutd("user", "add", name, "--role", role, "--url", daemon.address);
  const link = /http:\S+\/login#\S+/.exec(said)?.[0];
  if (link === undefined) throw new Error(`no login link in: ${said}`);
  const context = await browser.newContext({ viewport, bypassCSP: false });
  const seen = watch(context, daemon.address);
  const page = await context.newPage();
  await page.goto(link);
  return { context, page, seen };
}

describe("from an empty folder to a trained round", () => {
  it("the dashboard shows a run as it goes and what came of it, and the other pages say why", async () => {
    const { page, seen, context } = await arrive("olga", "operator", kDesktop);
    await page.getByText("No run yet").waitFor();
    await page.getByText("live", { exact: true }).waitFor();

    daemon.cutd("run", "start", "--config", write_config());
    await page.getByRole("progressbar", { name: /Round 1 of 1|The run's report/ }).waitFor({ timeout: kRunMs });
    await page.locator(".title .pill", { hasText: "completed" }).waitFor({ timeout: kRunMs });
    await page.getByRole("rowheader", { name: /round 1 (promoted|rejected)/ }).waitFor();
    await page.getByRole("img", { name: /Score per round: untrained .* round 1/ }).waitFor();
    await page.locator(".messages li", { hasText: "round 1" }).first().waitFor();
    await shoot(page, "story-1-dashboard");

    await page.getByRole("link", { name: "round 1", exact: true }).click();
    await page.getByRole("img", { name: /Training loss/ }).waitFor();
    await page.locator(".events li", { hasText: "training" }).first().waitFor();
    await shoot(page, "story-2-round");

    await page.getByRole("link", { name: "Its responses" }).click();
    await page.locator(".response-list li").nth(5).waitFor();
    await page.getByLabel("Verdict").selectOption("negative");
    await page.locator(".response-list a").first().click();
    await page.getByRole("button", { name: "Show the inappropriate tokens" }).click();
    await page.getByText("Every token's numbers").click({ timeout: kRunMs });
    expect(await page.locator(".token-table tbody tr").count()).toBeGreaterThan(0);
    await shoot(page, "story-3-response");

    await page.getByRole("link", { name: "Adapters" }).click();
    await page.getByRole("link", { name: "Round 1" }).waitFor();
    await shoot(page, "story-4-adapters");

    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Password").waitFor();
    expect(await page.evaluate(() => fetch("/api/v1/runs").then((reply) => reply.status))).toBe(401);
    expect(seen).toEqual({ faults: [], outside: [], dialogs: [] });
    await context.close();
  }, 600_000);
});
