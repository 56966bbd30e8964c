import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { page_of } from "../../../web/src/route";

describe("page_of", () => {
  it("knows every page", () => {
    expect(page_of("/")).toEqual({ name: "dashboard" });
    expect(page_of("/login")).toEqual({ name: "login" });
    expect(page_of("/annotate")).toEqual({ name: "annotate", view: "pending" });
    expect(page_of("/annotate/skipped")).toEqual({ name: "annotate", view: "skipped" });
    expect(page_of("/runs/3")).toEqual({ name: "run", id: 3 });
    expect(page_of("/rounds/12")).toEqual({ name: "round", id: 12 });
    expect(page_of("/responses/7", "?label=negative")).toMatchObject({ name: "responses", id: 7 });
    expect(page_of("/review")).toEqual({ name: "review" });
    expect(page_of("/start")).toEqual({ name: "start" });
    expect(page_of("/adapters")).toEqual({ name: "adapters" });
  });
  it("takes nothing else for a page", () => {
    for (const path of [
      "/rounds/0",
      "/rounds/x",
      "/rounds/1/2",
      "/annotate/all",
      "/runs",
      "/login/a",
      "/rounds/-1",
      "/%2e%2e",
    ]) {
      expect(page_of(path), path).toEqual({ name: "unknown" });
    }
  });
  it("agrees with the addresses that the daemon answers with the document", () => {
    const source = readFileSync(new URL("../../../src/server/pages.cc", import.meta.url), "utf8");
    const patterns = [
      ...(/kPatterns = \{([^}]*(?:\{\w+\}[^}]*)*)\};/.exec(source)?.[1] ?? "").matchAll(/"(\/[^"]*)"/g),
    ].map((match) => match[1] as string);
    expect(patterns.length).toBeGreaterThan(7);
    for (const pattern of patterns.filter((one) => !one.includes(".svg"))) {
      const path = pattern.replace("{view}", "draft").replace(/\{\w+\}/, "5");
      expect(page_of(path).name, path).not.toBe("unknown");
    }
  });
});
