// Every page at desktop and phone size, light and dark: it shows what the API says, breaks nothing, and axe-core
// finds no serious violation. The screenshots are for people: tests/web/screenshots.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MockApi } from "../../../web/mock/api";
import { kDesktop, kPhone, launch, mock, shoot, violations, watch } from "../support/browser";
import { Daemon } from "../support/daemon";

let browser: Browser;
let daemon: Daemon;

beforeAll(async () => {
  [browser, daemon] = await Promise.all([launch(), Daemon.start()]);
});
afterAll(async () => {
  await browser?.close();
  await daemon?.stop();
});

interface Case {
  name: string;
  path: string;
  role?: "operator" | "annotator" | null;
  /** Until this text is there, and after this was done. */
  text: string;
  act?: (page: Page) => Promise<void>;
}

const kPages: Case[] = [
  { name: "login", path: "/login", role: null, text: "Have a login link?" },
  {
    name: "dashboard",
    path: "/",
    text: "Krippendorff",
    act: async (page) => page.getByText("Show as a table").first().click(),
  },
  { name: "run", path: "/runs/2", text: "Configuration" },
  { name: "round", path: "/rounds/14", text: "left out by sampling" },
  { name: "responses", path: "/responses?label=negative", text: "Explain to a ten-year-old" },
  {
    name: "response",
    path: "/responses/900?label=negative",
    text: "It explains well",
    act: async (page) => {
      await page.getByRole("button", { name: "Show the inappropriate tokens" }).click();
      await page.locator("mark.detected").first().waitFor();
      await page.getByText("Every token's numbers").click();
    },
  },
  { name: "adapters", path: "/adapters", text: "Base model" },
  {
    name: "review",
    path: "/review",
    text: "everyone skipped it",
    act: async (page) => {
      await page.getByRole("button", { name: "Judge it" }).last().click();
      await page.getByText("Said so far").waitFor();
    },
  },
  { name: "annotate", path: "/annotate", role: "annotator", text: "What makes a response perfect", act: write_a_draft },
  { name: "annotate-submitted", path: "/annotate", role: "annotator", text: "Your judgment", act: submit_one },
  {
    name: "annotate-help",
    path: "/annotate",
    role: "annotator",
    text: "Your judgment",
    act: async (page) => page.keyboard.press("?"),
  },
  {
    name: "annotate-skip",
    path: "/annotate",
    role: "annotator",
    text: "Your judgment",
    act: async (page) => page.keyboard.press("s"),
  },
  {
    name: "account",
    path: "/adapters",
    text: "Base model",
    act: async (page) => page.getByRole("button", { name: "Ada" }).click(),
  },
];

async function write_a_draft(page: Page): Promise<void> {
  await page.keyboard.press("2");
  await page.keyboard.type("A child does not need “As a language model I cannot see the sky”.");
  await page.getByText("Draft saved").waitFor();
}

async function submit_one(page: Page): Promise<void> {
  await page.keyboard.press("1");
  await page.keyboard.press("Control+Enter");
  await page.getByText("Submitted.").waitFor();
  await page.getByRole("link", { name: "submitted" }).click();
  await page.locator(".own-row").click();
  await page.getByText("perfect", { exact: true }).waitFor();
}

for (const [device, viewport] of [
  ["desktop", kDesktop],
  ["phone", kPhone],
] as const) {
  for (const colorScheme of ["light", "dark"] as const) {
    describe(`at ${device} size, ${colorScheme}`, () => {
      it.each(kPages)("$name", async ({ name, path, role = "operator", text, act }) => {
        const phone = device === "phone";
        const context = await browser.newContext({
          viewport,
          colorScheme,
          isMobile: phone,
          hasTouch: phone,
          bypassCSP: true,
        });
        const seen = watch(context, daemon.address);
        await mock(context, new MockApi({ role }));
        const page = await context.newPage();
        await page.goto(daemon.address + path);
        await page
          .getByText(text)
          .or(page.locator(`[title*="${text}"]`))
          .first()
          .waitFor();
        await act?.(page);
        await shoot(page, `${name}-${device}-${colorScheme}`);
        expect(await violations(page)).toEqual([]);
        const sideways = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        expect(sideways, "the page scrolls sideways").toBeLessThanOrEqual(0);
        const dialogs = await page.evaluate(() =>
          Array.from(document.querySelectorAll("dialog"), (dialog) => dialog.scrollWidth - dialog.clientWidth),
        );
        expect(Math.max(0, ...dialogs), "a dialog scrolls sideways").toBe(0);
        expect(seen).toEqual({ faults: [], outside: [], dialogs: [] });
        await context.close();
      });
    });
  }
}

describe("the pages", () => {
  it("would not pass with a serious violation: axe-core sees one that is put there", async () => {
    const context = await browser.newContext({ viewport: kDesktop, bypassCSP: true });
    await mock(context, new MockApi({ role: null }));
    const page = await context.newPage();
    await page.goto(`${daemon.address}/login`);
    await page.getByLabel("Name").waitFor();
    await page.evaluate(() => {
      const faint = document.createElement("p");
      faint.textContent = "hardly readable";
      faint.style.color = "#ddd";
      document.querySelector("form")?.append(faint, document.createElement("button"));
    });
    expect((await violations(page)).map((line) => line.split(":")[0])).toEqual(
      expect.arrayContaining(["button-name", "color-contrast"]),
    );
    await context.close();
  });

  it("answer an address that is none with a problem, and nothing of what there is", async () => {
    const reply = await fetch(`${daemon.address}/nowhere`);
    expect(reply.status).toBe(401);
    expect(reply.headers.get("content-type")).toContain("problem+json");
  });

  it("take who has no session to the login and back to where they wanted to go", async () => {
    const context = await browser.newContext({ viewport: kDesktop });
    await mock(context, new MockApi({ role: null }));
    const page = await context.newPage();
    await page.goto(`${daemon.address}/rounds/14`);
    await page.getByLabel("Name").fill("operator");
    await page.getByLabel("Password").fill("wrong");
    await page.keyboard.press("Enter");
    await page.getByText("do not fit together").waitFor();
    await page.getByLabel("Password").fill("correct horse");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Round 4" }).waitFor();
    expect(new URL(page.url()).pathname).toBe("/rounds/14");
    await context.close();
  });

  it("take a login link's secret out of the address and send it to the API alone", async () => {
    const context = await browser.newContext({ viewport: kDesktop });
    const api = new MockApi({ role: null });
    await mock(context, api);
    const page = await context.newPage();
    await page.goto(`${daemon.address}/login#secret`);
    await page.getByText("Your judgment").waitFor();
    expect(page.url()).not.toContain("secret");
    const told = api.requests.filter((request) => JSON.stringify(request).includes("secret"));
    expect(told).toMatchObject([{ method: "POST", path: "/api/v1/session", body: { link: "secret" } }]);
    await context.close();
  });

  it("keep annotators out of the dashboard", async () => {
    const context = await browser.newContext({ viewport: kDesktop });
    const api = new MockApi({ role: "annotator" });
    await mock(context, api);
    const page = await context.newPage();
    await page.goto(`${daemon.address}/`);
    await page.getByText("Your judgment").waitFor();
    expect(api.requests.some(({ path }) => path.includes("/runs"))).toBe(false);
    await context.close();
  });

  it("follow the reader's choice of colours over the system's", async () => {
    const context = await browser.newContext({ viewport: kDesktop, colorScheme: "light" });
    await mock(context, new MockApi({ role: null }));
    const page = await context.newPage();
    await page.goto(`${daemon.address}/login`);
    const back = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await back();
    await page.getByRole("button", { name: "Colours" }).click();
    await page.getByRole("button", { name: "Colours" }).click();
    expect(await back()).not.toBe(light);
    await page.reload();
    await page.getByLabel("Name").waitFor();
    expect(await back()).not.toBe(light);
    await context.close();
  });
});
