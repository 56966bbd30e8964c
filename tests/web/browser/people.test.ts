// The whole story with people, from an empty data folder, with nothing in place of anything: the daemon, the engine, a tiny model,
// an operator's browser and two annotators' browsers. The operator starts a run whose judge is people; the two judge
// what the model writes; the round trains; the dashboard shows the result as it comes.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { kDesktop, kPhone, launch, shoot, type Watch, watch } from "../support/browser";
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
annotators: [{name: team, kind: human, human: {overlap: 1, guidelines: "Judge **only what is there**."}}]
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

/** Judges until the run has ended: every other response by keys as criticised. Returns the items seen. */
async function judge({ page }: Person, ended: () => boolean): Promise<string[]> {
  const items: string[] = [];
  while (!ended()) {
    const editor = page.getByRole("heading", { name: "Your judgment" });
    const nothing = page.getByRole("button", { name: "Look again" });
    await editor.or(nothing).or(page.getByText("Loading")).first().waitFor();
    if (await nothing.isVisible()) {
      await nothing.click();
      await page.waitForTimeout(300);
      continue;
    }
    if (!(await editor.isVisible())) continue;
    const instruction = (await page.locator(".item .said").first().textContent()) ?? "";
    await page.keyboard.press(items.length % 2 === 0 ? "2" : "1");
    if (items.length % 2 === 0) await page.keyboard.type("It is not about the question; say what it is used for.");
    const submitted = page.waitForResponse((reply) => reply.url().endsWith("/submit"));
    await page.keyboard.press("Control+Enter");
    const reply = (await (await submitted).json()) as { item: string; state: string };
    expect(reply.state).toBe("counted");
    items.push(`${reply.item} ${instruction}`);
    await page.getByText(instruction).or(page.getByText("Submitted.")).first().waitFor();
  }
  return items;
}

describe("from an empty folder to a trained round", () => {
  it("an operator starts it, two people judge, it trains, and the dashboard shows the result", async () => {
    const operator = await arrive("olga", "operator", kDesktop);
    await operator.page.getByText("No run yet").waitFor();
    const [ada, bo] = [await arrive("ada", "annotator", kDesktop), await arrive("bo", "annotator", kPhone)];
    await ada.page.getByRole("button", { name: "Look again" }).waitFor();

    daemon.cutd("run", "start", "--config", write_config());
    await operator.page.getByText("People are asked").waitFor({ timeout: kRunMs });
    await operator.page.getByText("live", { exact: true }).waitFor();
    await shoot(operator.page, "story-1-people-are-asked");

    let ended = false;
    const finished = operator.page
      .locator(".title .pill", { hasText: "completed" })
      .waitFor({ timeout: kRunMs })
      .finally(() => (ended = true));
    const [by_ada, by_bo] = await Promise.all([judge(ada, () => ended), judge(bo, () => ended), finished]);

    expect(by_ada.length).toBeGreaterThan(0);
    expect(by_bo.length).toBeGreaterThan(0);
    const all = [...by_ada, ...by_bo].map((line) => line.split(" ")[0]);
    expect(new Set(all).size, "nobody had another's item").toBe(all.length);

    await operator.page.getByRole("rowheader", { name: /round 1 (promoted|rejected)/ }).waitFor();
    await operator.page.getByRole("img", { name: /Score per round: untrained .* round 1/ }).waitFor();
    await shoot(operator.page, "story-2-the-result");
    await operator.page.getByRole("link", { name: "round 1", exact: true }).click();
    await operator.page.getByRole("img", { name: /Training loss/ }).waitFor();
    await shoot(operator.page, "story-3-the-round");
    await operator.page.getByRole("link", { name: "Its responses" }).click();
    await operator.page.locator(".response-list li").nth(5).waitFor();
    await operator.page.getByLabel("Verdict").selectOption("negative");
    await operator.page.locator(".response-list a").first().click();
    await operator.page.getByText("It is not about the question").first().waitFor();
    await operator.page.getByRole("button", { name: "Show the inappropriate tokens" }).click();
    await operator.page.getByText("Every token's numbers").waitFor({ timeout: 60_000 });
    await shoot(operator.page, "story-4-a-response");
    await operator.page.getByRole("link", { name: "Adapters" }).click();
    await operator.page.getByRole("link", { name: "Round 1" }).waitFor();
    await shoot(operator.page, "story-5-adapters");
    for (const person of [operator, ada, bo]) {
      expect(person.seen).toEqual({ faults: [], outside: [], dialogs: [] });
      await person.context.close();
    }
  }, 600_000);
});
