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
  { name: "start", path: "/start", text: "Models of this daemon" },
  { name: "start-missing", path: "/start", text: "Models of this daemon", act: async (page) => check(page, kConfig) },
  {
    name: "start-problem",
    path: "/start",
    text: "Models of this daemon",
    act: async (page) => {
      await check(page, kConfig.replace("learning_rate", "learning_rat"));
      await page.getByRole("button", { name: "Show line 5" }).click();
    },
  },
  {
    name: "start-planned",
    path: "/start",
    text: "Models of this daemon",
    act: async (page) => {
      await page.getByLabel("The files that it names").setInputFiles(kFiles);
      await check(page, kConfig);
      await page.getByText("The configuration is right.").waitFor();
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

const kConfig = `name: night
model: llama2-13b-chat
data: {train: sets/train.jsonl, gate: sets/gate.jsonl, instructions_per_round: 400}
train:
  learning_rate: 1e-4
run: {rounds: 6}
`;
const kFiles = ["train.jsonl", "gate.jsonl"].map((name) => ({
  name,
  mimeType: "application/jsonl",
  buffer: Buffer.from('{"instruction": "Name a colour."}\n'),
}));

async function check(page: Page, config: string): Promise<void> {
  await page.getByLabel("Or written here").fill(config);
  await page.getByRole("button", { name: "Check it" }).click();
  await page
    .getByText("unknown key")
    .or(page.getByText("missing").or(page.getByText("is right")))
    .first()
    .waitFor();
}

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
  /** A page of an operator with the mock as it is wanted. */
  async function open(path: string, api: MockApi): Promise<Page> {
    const context = await browser.newContext({ viewport: kDesktop });
    await mock(context, api);
    const page = await context.newPage();
    await page.goto(daemon.address + path);
    return page;
  }

  it("count each payment once: the run's in its card, every annotator's caps by themselves", async () => {
    const page = await open("/", new MockApi());
    const card = page.locator(".card", { hasText: "Spent" });
    expect(await card.locator(".figure").textContent()).toBe("$4.86");
    expect(await card.locator(".under").textContent()).toMatch(/^\$0\.0960 reserved; \$5\.2[67] in all runs$/);
    expect(await page.getByText("A spending cap").count()).toBe(0); // full ones are of a past day and of ended rounds
    const spend = page.getByRole("region", { name: "Spend" });
    const rows = await spend.locator(".balance .row > :first-child").allTextContents();
    expect(rows).toEqual(["claude in all", "gpt-4o-mini in all", "gpt-4o-mini today (UTC)", "gpt-4o-mini round #15"]);
    expect(await spend.getByRole("row", { name: /^round 5 / }).textContent()).toContain("$0.61");
    expect(await spend.getByRole("row", { name: /^evaluations / }).textContent()).toContain("$0.32");
    await page.context().close();
  });

  it("show how the judges' requests go", async () => {
    const page = await open("/", new MockApi());
    const row = page.getByRole("region", { name: "Judges' requests" }).getByRole("row", { name: /gpt-4o-mini/ });
    await row.waitFor();
    const cells = await row.getByRole("cell").allTextContents();
    expect(cells).toEqual(["2.4 s to 7.9 s", "0.4 %", "0.7 %", "1.5 %", "$0.0022"]);
    await page.context().close();
  });

  it("list everything that waits for a decision, page after page, and keep their place when one is decided", async () => {
    const page = await open("/review", new MockApi({ reviewItems: 120 }));
    const items = page.locator(".review > li");
    await expect.poll(() => items.count()).toBe(50);
    await page.getByRole("button", { name: "Show more" }).click();
    await expect.poll(() => items.count()).toBe(100);
    await items.nth(70).getByRole("button", { name: "Give it out again" }).click();
    await expect.poll(() => items.count()).toBe(99);
    await page.getByRole("button", { name: "Show more" }).click();
    await expect.poll(() => items.count()).toBeGreaterThan(99);
    expect(await page.getByRole("button", { name: "Show more" }).count()).toBe(0);
    await page.context().close();
  });

  it("highlight a criticised response's tokens when it is opened, and no other's", async () => {
    const api = new MockApi();
    const page = await open("/responses/900", api);
    await page.locator("mark.detected").first().waitFor();
    await page.goto(`${daemon.address}/responses/899`);
    await page.getByText("Perfect.").first().waitFor();
    expect(api.requests.filter(({ path }) => path.endsWith("/tokens"))).toHaveLength(1);
    await page.context().close();
  });

  it("say why the tokens are not there yet, ask again by themselves, and stop asking when left", async () => {
    const api = new MockApi({ engineBusy: 1 });
    const page = await open("/responses/900", api);
    const asked = () => api.requests.filter(({ path }) => path.endsWith("/tokens")).length;
    await page.getByText("its work in progress comes first").waitFor();
    await page.locator("mark.detected").first().waitFor();
    expect(asked()).toBe(2);
    const busy = new MockApi({ engineBusy: 1000 });
    const other = await open("/responses/900", busy);
    await other.getByText("its work in progress comes first").waitFor();
    await other.getByRole("link", { name: "Adapters" }).click();
    await other.getByText("Base model", { exact: true }).waitFor();
    const before = busy.requests.length;
    await other.waitForTimeout(2500);
    expect(busy.requests.slice(before).filter(({ path }) => path.endsWith("/tokens"))).toEqual([]);
    await page.context().close();
    await other.context().close();
  });

  it("start a run by keyboard alone: problem, missing files, plan, start, each start once", async () => {
    const api = new MockApi();
    const page = await open("/start", api);
    const config = page.getByLabel("Or written here");
    const start = page.getByRole("button", { name: "Start the run" });
    await config.focus();
    await page.keyboard.insertText(kConfig.replace("learning_rate", "learning_rat"));
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText('unknown key "learning_rat"').waitFor();
    await page.getByRole("button", { name: "Show line 5" }).focus();
    await page.keyboard.press("Enter");
    expect(
      await config.evaluate((area: HTMLTextAreaElement) => area.value.slice(area.selectionStart, area.selectionEnd)),
    ).toBe("  learning_rat: 1e-4");
    await page.keyboard.insertText("  learning_rate: 1e-4");
    await page.getByRole("button", { name: "Check it" }).focus();
    await page.keyboard.press("Enter");
    await page.getByText("Still missing: sets/train.jsonl, sets/gate.jsonl.").waitFor();
    expect(await start.isDisabled()).toBe(true);
    await page.getByLabel("The files that it names").setInputFiles(kFiles);
    await page.getByRole("button", { name: "Check it" }).focus();
    await page.keyboard.press("Enter");
    await page.getByText("The configuration is right.").waitFor();
    await page.getByText("at most $21.90; nothing beyond the cap of $10.00 is sent").waitFor();
    await start.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Dashboard" }).waitFor();
    const started = api.requests.filter(({ method, path }) => method === "POST" && path === "/api/v1/runs");
    expect(started).toHaveLength(1);
    expect(started[0]?.key).toMatch(/^[0-9a-f]{32}$/);
    const { files, origin } = started[0]?.body as { files: object; origin: string };
    expect([Object.keys(files).sort(), origin]).toEqual([["sets/gate.jsonl", "sets/train.jsonl"], "run.yaml"]);
    await page.context().close();
  });

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
