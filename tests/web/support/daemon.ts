// A real daemon on an empty data folder, listening on a loopback port of its own.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const kBin = process.env["CUTD_BIN"] ?? fileURLToPath(new URL("../../../build/release/bin", import.meta.url));
const kStartMs = 60_000;

export class Daemon {
  private constructor(
    readonly dataDir: string,
    readonly address: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(): Promise<Daemon> {
    const dataDir = mkdtempSync(join(tmpdir(), "cutd-web-"));
    const child = spawn(join(kBin, "cutd"), ["serve", "--data-dir", dataDir, "--listen", "127.0.0.1:0"], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const log = join(dataDir, "cutd.log");
    const deadline = Date.now() + kStartMs;
    for (;;) {
      const text = said + (existsSync(log) ? readFileSync(log, "utf8") : "");
      const address = / at (http:\/\/127\.0\.0\.1:\d+)/.exec(text)?.[1];
      if (address !== undefined) return new Daemon(dataDir, address, child);
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`cutd serve did not start:\n${text}`);
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  /** A command on this daemon's folder; its standard output. Throws what it said when it fails. */
  cutd(...words: string[]): string {
    return execFileSync(join(kBin, "cutd"), [...words, "--data-dir", this.dataDir], { encoding: "utf8" });
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null) {
      const ended = new Promise((done) => this.child.once("exit", done));
      this.child.kill("SIGTERM");
      await ended;
    }
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}
