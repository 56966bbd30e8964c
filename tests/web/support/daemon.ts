// A real daemon on an empty data folder, and its address as a browser reaches it.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { AddressInfo } from "node:net";

export const kBin = process.env["CUTD_BIN"] ?? fileURLToPath(new URL("../../../build/release/bin", import.meta.url));
const kStartMs = 60_000;

export class Daemon {
  private constructor(
    readonly dataDir: string,
    readonly address: string,
    private readonly process_: ChildProcess,
    private readonly door: Server,
  ) {}

  static async start(): Promise<Daemon> {
    const dataDir = mkdtempSync(join(tmpdir(), "cutd-web-"));
    const child = spawn(join(kBin, "cutd"), ["serve", "--data-dir", dataDir], { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const socket = join(dataDir, "cutd.sock");
    const deadline = Date.now() + kStartMs;
    while (!existsSync(socket)) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`cutd serve did not start:\n${said}`);
      await new Promise((done) => setTimeout(done, 50));
    }
    const door = await open_door(socket);
    return new Daemon(dataDir, `http://127.0.0.1:${(door.address() as AddressInfo).port}`, child, door);
  }

  log(): string {
    return readFileSync(join(this.dataDir, "cutd.log"), "utf8");
  }

  async stop(): Promise<void> {
    this.door.closeAllConnections();
    await new Promise((done) => this.door.close(done));
    if (this.process_.exitCode === null) {
      const ended = new Promise((done) => this.process_.once("exit", done));
      this.process_.kill("SIGTERM");
      await ended;
    }
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

/** The daemon's Unix socket behind a loopback port, byte for byte. */
async function open_door(socket: string): Promise<Server> {
  const door = createServer((incoming, outgoing) => {
    const inner = request(
      { socketPath: socket, path: incoming.url, method: incoming.method, headers: incoming.headers },
      (reply) => {
        outgoing.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.pipe(outgoing);
      },
    );
    inner.on("error", () => outgoing.destroy());
    incoming.pipe(inner);
  });
  await new Promise<void>((done) => door.listen(0, "127.0.0.1", done));
  return door;
}
