// From an empty data folder, with nothing in place of anything: the daemon, the engine, a tiny model and an operator's
// browser. The operator starts a run judged by the rule annotator and watches it without touching the page.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { kDesktop, shoot } from "../support/browser";
import { kRunMs, Stage } from "../support/stage";

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.build();
}, 240_000);
afterAll(async () => stage?.clear());

describe("from an empty folder to a trained round", () => {
  it("the dashboard shows a run as it goes and what came of it, and the other pages say why", async () => {
    const { page, seen, context } = await stage.arrive("olga", "operator", kDesktop);
    await page.getByText("No run yet").waitFor();
    await page.getByText("live", { exact: true }).waitFor();

    stage.daemon.cutd("run", "start", "--config", stage.write_config());
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
