// The whole story with people, from an empty data folder, with nothing in place of anything: the daemon, the engine, a tiny model,
// an operator's browser and two annotators' browsers. The operator starts a run whose judge is people; the two judge
// what the model writes; the round trains; the dashboard shows the result as it comes.
import { dirname, join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { kDesktop, kPhone, shoot } from "../support/browser";
import { kRunMs, type Person, Stage } from "../support/stage";

const kPeople =
  'annotators: [{name: team, kind: human, human: {overlap: 1, guidelines: "Judge **only what is there**."}}]';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.build();
}, 240_000);
afterAll(async () => stage?.clear());

/** On the page for it, from the files of a folder, as an operator who has never seen it. */
async function start_run(page: Page, config: string): Promise<void> {
  await page.getByRole("link", { name: "Start one here" }).click();
  await page.getByLabel("A YAML file of this machine").setInputFiles(config);
  await page.getByRole("button", { name: "Check it" }).click();
  await page.getByText("Still missing: train.jsonl, gate.jsonl, report.jsonl.").waitFor();
  const folder = dirname(config);
  const files = ["train.jsonl", "gate.jsonl", "report.jsonl"].map((name) => join(folder, name));
  await page.getByLabel("The files that it names").setInputFiles(files);
  await page.getByRole("button", { name: "Check it" }).click();
  await page.getByText("The configuration is right.").waitFor();
  await shoot(page, "story-0-the-plan");
  await page.getByRole("button", { name: "Start the run" }).click();
  await page.getByRole("heading", { name: "Dashboard" }).waitFor();
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
    const operator = await stage.arrive("olga", "operator", kDesktop);
    await operator.page.getByText("No run yet").waitFor();
    const [ada, bo] = [await stage.arrive("ada", "annotator", kDesktop), await stage.arrive("bo", "annotator", kPhone)];
    await ada.page.getByRole("button", { name: "Look again" }).waitFor();

    await start_run(operator.page, stage.write_config(kPeople));
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
