// Chromium as the readers of the pages use it, watched for whatever a page should never do.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import type { MockApi } from "../../../web/mock/api";

export const kDesktop = { width: 1280, height: 860 };
export const kPhone = { width: 390, height: 844 };

const kScreenshots = fileURLToPath(new URL("../screenshots", import.meta.url));

export async function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env["CUTD_CHROMIUM"] ?? "/usr/bin/chromium-headless-shell",
    args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
  });
}

/** What went wrong in a context: script errors, refusals by the policy, dialogs, requests elsewhere. */
export interface Watch {
  faults: string[];
  outside: string[];
  dialogs: string[];
}

export function watch(context: BrowserContext, address: string): Watch {
  const seen: Watch = { faults: [], outside: [], dialogs: [] };
  const watch_page = (page: Page) => {
    page.on("pageerror", (error) => seen.faults.push(String(error)));
    page.on("console", (message) => {
      // A refused request is the server's answer and is shown on the page; everything else is a fault.
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
        seen.faults.push(message.text());
    });
    page.on("dialog", (dialog) => {
      seen.dialogs.push(dialog.message());
      void dialog.dismiss();
    });
  };
  context.on("page", watch_page);
  context.on("request", (request) => {
    if (!request.url().startsWith(`${address}/`)) seen.outside.push(request.url());
  });
  return seen;
}

/** The document and assets stay the daemon's own, with its policy; only /api is answered by `api`. */
export async function mock(context: BrowserContext, api: MockApi): Promise<void> {
  await context.route("**/api/v1/**", async (route) => {
    const request = route.request();
    const url = new URL(request.url());
    if (url.pathname === "/api/v1/events") {
      return route.fulfill({ status: 200, contentType: "text/event-stream", body: api.event_text() });
    }
    const reply = api.answer(
      request.method(),
      request.url(),
      request.postDataJSON() ?? {},
      request.headers()["idempotency-key"],
    );
    return route.fulfill({ status: reply.status, contentType: reply.type, body: reply.body });
  });
}

export async function shoot(page: Page, name: string): Promise<void> {
  await page.evaluate(() => scrollTo(0, 0));
  mkdirSync(kScreenshots, { recursive: true });
  await page.screenshot({ path: join(kScreenshots, `${name}.png`), fullPage: true, animations: "disabled" });
}

const kAxe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Serious and critical findings of axe-core, one line each. The context must have been made with bypassCSP. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(kAxe);
  return page.evaluate(async () => {
    const axe = (globalThis as unknown as { axe: { run: (options: object) => Promise<{ violations: Finding[] }> } })
      .axe;
    interface Finding {
      id: string;
      impact: string;
      help: string;
      nodes: { target: string[]; failureSummary: string }[];
    }
    const { violations } = await axe.run({ resultTypes: ["violations"] });
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .flatMap(({ id, help, nodes }) =>
        nodes.map((node) => `${id}: ${help} at ${node.target.join(" ")}: ${node.failureSummary.replace(/\s+/g, " ")}`),
      );
  });
}
