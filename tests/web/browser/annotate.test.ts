// The annotation page by keyboard alone, and what becomes of written text when leases, lines and pages end.
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { MockApi } from "../../../web/mock/api";
import { kDesktop, launch, mock } from "../support/browser";
import { Daemon } from "../support/daemon";

let browser: Browser;
let daemon: Daemon;
let context: BrowserContext;
let page: Page;
let api: MockApi;

beforeAll(async () => {
  [browser, daemon] = await Promise.all([launch(), Daemon.start()]);
});
afterAll(async () => {
  await browser?.close();
  await daemon?.stop();
});
beforeEach(async () => open(new MockApi({ role: "annotator" })));
afterEach(async () => context.close());

async function open(mocked: MockApi): Promise<void> {
  await context?.close();
  api = mocked;
  context = await browser.newContext({ viewport: kDesktop });
  await mock(context, api);
  page = await context.newPage();
  await page.goto(`${daemon.address}/annotate`);
  await page.getByRole("heading", { name: "Your judgment" }).waitFor();
}

const sent = (action: string) => api.requests.filter(({ path }) => path.endsWith(`/${action}`)).map(({ body }) => body);
const instruction = () => page.locator(".item .said").first().textContent();

/** What the desk shows: an item's text, "nothing", or null while the next item is on its way. */
async function on_desk(): Promise<string | null> {
  return page.evaluate(() => {
    const item = document.querySelector(".item .said");
    if (item !== null) return item.textContent;
    return document.body.innerText.includes("Nothing waits for you") ? "nothing" : null;
  });
}

/** Judges the item on the desk as perfect and waits until another, or the word that there is none, is there. */
async function submit_perfect(): Promise<void> {
  const before = await on_desk();
  await page.keyboard.press("1");
  await page.keyboard.press("Control+Enter");
  await expect.poll(on_desk).not.toSatisfy((now: string | null) => now === null || now === before);
}

describe("the annotation page", () => {
  it("needs no mouse: verdict, text, submission, skip, help and views by keys", async () => {
    const first = await instruction();
    await page.keyboard.press("2");
    await page.keyboard.type("Leave out s, g and 1.");
    await page.keyboard.press("Control+Enter");
    await expect.poll(instruction).not.toBe(first);
    expect(sent("submit")).toEqual([
      { label: "negative", text: "Leave out s, g and 1.", seconds_spent: expect.any(Number) },
    ]);

    await page.keyboard.press("s");
    await page.getByRole("dialog", { name: "Skip this item" }).waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await expect.poll(() => sent("skip")).toEqual([{ reason: "The instruction makes no sense" }]);

    await page.getByRole("heading", { name: "Your judgment" }).waitFor();
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.keyboard.press("g");
    await page.getByText("What makes a response perfect").waitFor({ state: "hidden" });
    await page.keyboard.press("]");
    await page.keyboard.press("]");
    await page.locator(".own-row").waitFor();
    expect(new URL(page.url()).pathname).toBe("/annotate/submitted");
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.getByText("Leave out s, g and 1.").waitFor();
  });

  it("can be reached and worked with Tab alone", async () => {
    const reached = new Set<string>();
    for (let i = 0; i < 40; ++i) {
      await page.keyboard.press("Tab");
      reached.add(
        await page.evaluate(
          () => (document.activeElement as HTMLElement)?.innerText?.trim() || document.activeElement?.tagName || "",
        ),
      );
    }
    const all = [...reached].join("|");
    for (const name of ["Skip to the content", "Keyboard", "Submit", "Skip", "Hide", "TEXTAREA", "INPUT", "Sign out"])
      expect(all).toContain(name);
  });

  it("says once, to those who cannot see the countdown, that a reservation ends", async () => {
    await open(new MockApi({ role: "annotator", leaseSeconds: 125 }));
    await page.evaluate(() => {
      const heard: string[] = [];
      Object.assign(globalThis, { heard });
      for (const region of document.querySelectorAll("[role=status], [role=alert], [aria-live]"))
        new MutationObserver(() => {
          const text = (region.textContent ?? "").trim();
          if (text !== "") heard.push(text);
        }).observe(region, { childList: true, subtree: true, characterData: true });
    });
    const heard = () => page.evaluate(() => (globalThis as unknown as { heard: string[] }).heard);
    await page.getByText("This item is reserved for you for").waitFor();
    await expect.poll(heard).toEqual([expect.stringContaining("ends within two minutes")]);
    await page.waitForTimeout(2500); // the countdown goes on
    expect(await heard()).toHaveLength(1);
  });

  it("says what is missing instead of submitting", async () => {
    await page.keyboard.press("Control+Enter");
    await page.getByText("Choose a verdict first.").waitFor();
    await page.keyboard.press("2");
    await page.keyboard.press("Control+Enter");
    await page.getByText("Say what is wrong").waitFor();
    expect(sent("submit")).toEqual([]);
  });

  it("saves a draft by itself, shows it among the drafts and takes it up again", async () => {
    await page.keyboard.press("2");
    await page.keyboard.type("half a sen");
    await page.getByText("Draft saved").waitFor();
    expect(sent("draft").at(-1)).toEqual({ label: "negative", text: "half a sen" });
    await page.keyboard.press("Escape");
    const first = await instruction();
    await page.keyboard.press("n");
    await expect.poll(instruction).not.toBe(first);
    await page.keyboard.press("]");
    await page.locator(".own-row").click();
    await page.getByText("half a sen").waitFor();
    await page.getByRole("button", { name: "Go on with this one" }).click();
    await expect.poll(() => page.getByRole("textbox").inputValue()).toBe("half a sen");
  });

  it("keeps what is written over a reload, saved or not", async () => {
    await page.keyboard.press("2");
    await page.keyboard.type("saved words");
    await page.getByText("Draft saved").waitFor();
    api.broken = true;
    await page.keyboard.type(" and unsaved ones");
    await page.getByText("Not saved, trying again").waitFor();
    api.broken = false;
    await page.reload();
    await expect.poll(() => page.getByRole("textbox").inputValue()).toBe("saved words and unsaved ones");
  });

  it("tries again when the line was broken, without a second submission", async () => {
    await page.keyboard.press("1");
    await page.getByText("Draft saved").waitFor();
    api.broken = true;
    await page.keyboard.press("Control+Enter");
    await page.getByText("no room on the disk").waitFor();
    api.broken = false;
    await page.keyboard.press("Control+Enter");
    await page.getByText("Submitted.").waitFor();
    const keys = api.requests.filter(({ path }) => path.endsWith("/submit")).map(({ key }) => key);
    expect(keys).toEqual([keys[0], keys[0]]); // of one intention, so that the daemon counts it once
    expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
  });

  it("renews the lease while somebody works, and says when it has ended", async () => {
    await open(new MockApi({ role: "annotator", leaseSeconds: 16 }));
    await page.mouse.move(10, 10);
    await expect.poll(() => sent("renew").length, { timeout: 60_000 }).toBeGreaterThan(0);
    await page.keyboard.press("2");
    await page.keyboard.type("still here");
    await page.getByText("Draft saved").waitFor();
    api.desk.leasesOver = true;
    await page.getByText("Your reservation of this item has ended.").waitFor({ timeout: 60_000 });
    expect(await page.getByRole("textbox").inputValue()).toBe("still here");
    await page.keyboard.press("Control+Enter");
    await page.getByText("Kept, but not counted").waitFor();
  });

  it("shows where a suggestion comes from, and lets it be cleared", async () => {
    await submit_perfect();
    await submit_perfect();
    await page.getByText("Suggested by").waitFor();
    expect(await page.getByRole("textbox").inputValue()).toContain("halb zehn");
    await page.getByRole("button", { name: "Clear it" }).click();
    expect(await page.getByRole("textbox").inputValue()).toBe("");
  });

  it("lets single keys be switched off", async () => {
    await page.keyboard.press("?");
    await page.getByText("Single keys act").click();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.keyboard.press("s");
    await page.keyboard.press("1");
    expect(await page.getByRole("dialog").count()).toBe(0);
    expect(await page.getByRole("radio", { name: "Perfect" }).isChecked()).toBe(false);
  });

  it("forgets what is in this tab at signing out", async () => {
    await page.keyboard.press("2");
    await page.keyboard.type("private");
    await page.getByText("Draft saved").waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Password").waitFor();
    expect(await page.evaluate(() => JSON.stringify(sessionStorage))).not.toMatch(/private|cutd/);
  });

  it("lets who came by a link set a password", async () => {
    await page.getByRole("button", { name: "Ada" }).click();
    await page.getByLabel("New password").fill("a long enough one");
    await page.getByLabel("The same again").fill("another one here");
    await page.keyboard.press("Enter");
    await page.getByText("not the same").waitFor();
    await page.getByLabel("The same again").fill("a long enough one");
    await page.keyboard.press("Enter");
    await page.getByText("Your password is set").waitFor();
    expect(sent("password")).toEqual([{ password: "a long enough one" }]);
  });

  it("goes on at the top of the next item after a submission", async () => {
    await page.keyboard.press("2");
    await page.keyboard.type("x");
    await page.keyboard.press("Control+Enter");
    await page.getByText("Submitted.").waitFor();
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe("instruction-title");
    await page.keyboard.press("1");
    expect(await page.getByRole("radio", { name: "Perfect" }).isChecked()).toBe(true);
  });

  it("says why there is nothing to do", async () => {
    for (let i = 0; i < 6; ++i) await submit_perfect();
    expect(sent("submit")).toHaveLength(6);
    await page.getByText("Nothing waits for you").waitFor();
  });
});
