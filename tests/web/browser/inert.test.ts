// P30: text of models, people and files is text and nothing else, wherever a page shows it.
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MockApi } from "../../../web/mock/api";
import { visible_pieces } from "../../../web/src/visible_text";
import { kDesktop, launch, mock, type Watch, watch } from "../support/browser";
import { Daemon } from "../support/daemon";
import { hostile_texts } from "../support/vectors";

const kTexts = hostile_texts();
const kPageSize = 50; // of the response browser
const kAllMs = 600_000; // for what visits each text, on a loaded machine
const kPatienceMs = 30_000; // for a text to be shown
let browser: Browser;
let daemon: Daemon;

beforeAll(async () => {
  [browser, daemon] = await Promise.all([launch(), Daemon.start()]);
});
afterAll(async () => {
  await browser?.close();
  await daemon?.stop();
});

interface Visit {
  context: BrowserContext;
  page: Page;
  seen: Watch;
}

async function visit(role: "operator" | "annotator" = "operator"): Promise<Visit> {
  const context = await browser.newContext({ viewport: kDesktop });
  const seen = watch(context, daemon.address);
  await mock(context, new MockApi({ role, texts: kTexts }));
  return { context, page: await context.newPage(), seen };
}

/** Nothing ran, nothing was asked for elsewhere, and the page has no element that only markup could have made. */
async function expect_inert({ page, seen, context }: Visit): Promise<void> {
  const made = await page.evaluate(() => ({
    hit: (window as unknown as { hit?: number }).hit,
    elements: document.querySelectorAll(
      "#app :is(script, iframe, object, embed, img, base, link, style, video, audio, marquee, template, math, foreignObject, animate, image, use)",
    ).length,
    handlers: Array.from(document.querySelectorAll("#app *")).filter((element) =>
      element.getAttributeNames().some((name) => name.startsWith("on")),
    ).length,
    links: Array.from(document.querySelectorAll<HTMLAnchorElement>("#app a")).filter(
      (link) => link.origin !== location.origin,
    ).length,
    here: location.hostname,
  }));
  expect(made).toEqual({ hit: undefined, elements: 0, handlers: 0, links: 0, here: "127.0.0.1" });
  expect(seen).toEqual({ faults: [], outside: [], dialogs: [] });
  await context.close();
}

/** What a text must look like on the page, surprising characters by their names. */
function shown(text: string): string {
  return visible_pieces(text)
    .map((piece) => (piece.name === undefined ? piece.text : `${piece.text} (${piece.name})`))
    .join("");
}

// The following two run within the page: a message for each step would be most of the time that they take.

/** Opens one listed response after the other; what each article says once its tokens are there, null for none. */
async function open_each({ first, patience_ms }: { first: number; patience_ms: number }): Promise<(string | null)[]> {
  const said: (string | null)[] = [];
  const links = Array.from(document.querySelectorAll<HTMLElement>(".response-list a"));
  for (const [i, link] of links.entries()) {
    link.click();
    const opened = `article[aria-label="Response ${first + i}"] .beside .panel:first-child`;
    const shown = () => document.querySelector(`${opened} .said`);
    const asking = () => (document.querySelector(`${opened} [role=status]`)?.textContent ?? "") !== "";
    const end = performance.now() + patience_ms;
    while ((shown() === null || asking()) && performance.now() < end) await new Promise(requestAnimationFrame);
    said.push(shown()?.textContent ?? null);
  }
  return said;
}

/** Submits one item after the other; instruction, input and response of each. */
async function submit_each({ count, patience_ms }: { count: number; patience_ms: number }): Promise<string[][]> {
  const said: string[][] = [];
  const on_desk = () => Array.from(document.querySelectorAll(".item .said"), (element) => element.textContent ?? "");
  for (let i = 0; i < count; ++i) {
    const before = said.at(-1)?.[0];
    const end = performance.now() + patience_ms;
    while ((on_desk().length === 0 || on_desk()[0] === before) && performance.now() < end)
      await new Promise(requestAnimationFrame);
    said.push(on_desk());
    document.querySelector<HTMLFormElement>("form.editor")?.requestSubmit();
  }
  return said;
}

describe("hostile texts", () => {
  it("are at least 500", () => {
    expect(kTexts.length).toBeGreaterThanOrEqual(500);
    expect(new Set(kTexts.map(shown)).size).toBe(kTexts.length); // one after the other is told from the one before
  });

  it("would be caught: the same watch sees a text that is taken for markup", async () => {
    const context = await browser.newContext();
    const seen = watch(context, daemon.address);
    const page = await context.newPage();
    await page.setContent('<img src=x onerror="alert(1)"><img src="http://evil.invalid/a.png">');
    await expect.poll(() => seen.dialogs.length + seen.outside.length + seen.faults.length).toBeGreaterThan(0);
    await context.close();
  });

  it("are refused by the daemon's policy even if a page made markup of them", async () => {
    const context = await browser.newContext();
    const seen = watch(context, daemon.address);
    await mock(context, new MockApi({ role: null }));
    const page = await context.newPage();
    await page.goto(`${daemon.address}/login`);
    await page.getByLabel("Name").waitFor();
    const outcome = await page.evaluate(() => {
      try {
        document.body.innerHTML = "<img src=x onerror='window.hit=1'>";
        return "made";
      } catch (error) {
        return (error as Error).name;
      }
    });
    expect(outcome).toBe("TypeError"); // trusted types
    await page.evaluate(() => {
      const image = document.createElement("img");
      image.src = "http://evil.invalid/a.png";
      document.body.append(image);
    });
    await expect.poll(() => seen.faults.join(" ")).toContain("Content Security Policy");
    expect(seen.dialogs).toEqual([]);
    await context.close();
  });

  it("stay text in the dashboard, with its messages, people, judges and ledger", async () => {
    const it_ = await visit();
    await it_.page.goto(`${daemon.address}/`);
    await it_.page.locator(".messages li").nth(30).waitFor();
    await expect_inert(it_);
  });

  it("stay text on the round page, with an event for each", async () => {
    const it_ = await visit();
    await it_.page.goto(`${daemon.address}/rounds/14`);
    await it_.page
      .locator(".events li")
      .nth(kTexts.length - 1)
      .waitFor();
    const whys = await it_.page.locator(".events .why").allTextContents();
    expect(whys).toEqual(kTexts.map(shown));
    await expect_inert(it_);
  });

  it("stay text on the run, adapter, review and start pages", async () => {
    for (const [path, selector] of [
      ["/runs/2", "h1"],
      ["/adapters", ".member"],
      ["/review", ".why-review"],
      ["/start", ".start .note"],
    ] as const) {
      const it_ = await visit();
      await it_.page.goto(daemon.address + path);
      await it_.page.locator(selector).first().waitFor();
      for (const summary of await it_.page.locator("summary").all()) await summary.click();
      await expect_inert(it_);
    }
  });

  it(
    "stay text in the response browser: each in the list, and each opened beside its judgment",
    async () => {
      const it_ = await visit();
      const { page } = it_;
      await page.goto(`${daemon.address}/responses`);
      const rows = page.locator(".response-list li");
      for (let there = kPageSize; there < kTexts.length; there += kPageSize) {
        await rows.nth(there - 1).waitFor();
        await page.getByRole("button", { name: "Show more" }).click();
        await rows.nth(Math.min(kTexts.length, there + kPageSize) - 1).waitFor();
      }
      const said = await page.evaluate(open_each, { first: 1000, patience_ms: kPatienceMs });
      expect(said).toEqual(kTexts.map(shown));
      const links = page.locator(".response-list a");
      await links.first().evaluate((link: HTMLElement) => link.click());
      await page.getByRole("button", { name: "Show the inappropriate tokens" }).click();
      await page.getByText("Every token's numbers").click();
      await expect_inert(it_);
    },
    kAllMs,
  );

  it(
    "stay text on the annotation page: instruction, response, suggestion and guidelines of each",
    async () => {
      const it_ = await visit("annotator");
      const { page } = it_;
      await page.goto(`${daemon.address}/annotate`);
      const said = await page.evaluate(submit_each, { count: kTexts.length, patience_ms: kPatienceMs });
      expect(said).toEqual(kTexts.map((text) => Array(3).fill(shown(text)))); // instruction, its input, response
      await page.getByRole("link", { name: "submitted" }).click();
      await page
        .locator(".own-row")
        .nth(kTexts.length - 1)
        .waitFor();
      for (const row of (await page.locator(".own-row").all()).slice(0, 20))
        await row.evaluate((button: HTMLElement) => button.click());
      await expect_inert(it_);
    },
    kAllMs,
  );
});
