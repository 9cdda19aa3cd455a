/** Programs in processes of their own, and cores for them over each transport. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PACKAGE } from "./environment.js";

export interface Result {
  code: number | null;
  stdout: string;
  stderr: string;
  seconds: number;
}

export type Transport = "stdio" | "fd" | "websocket";

const PYTHON = process.env.WIKISWARM_PYTHON ?? "python3";

/** Makes a pair of sockets, a core at one end and the program at the other. */
const PAIR = `
import os, socket, subprocess, sys
here, there = socket.socketpair()
core = subprocess.Popen([sys.executable, "-m", "bindings", "--fd", str(here.fileno())], pass_fds=[here.fileno()])
here.close()
env = {**os.environ, "WIKISWARM_FD": str(there.fileno())}
program = subprocess.Popen(sys.argv[1:], env=env, pass_fds=[there.fileno()])
there.close()
status = program.wait()
core.wait(20)
sys.exit(status)
`;

/** Put a program where it finds the packages of this one. */
export function writeProgram(name: string, text: string): string {
  const folder = join(PACKAGE, "tests/.generated");
  mkdirSync(folder, { recursive: true });
  const place = join(folder, name);
  writeFileSync(place, text);
  return place;
}

/** Run a program to its end. */
export async function runProgram(
  place: string,
  options: { env?: Record<string, string>; transport?: Transport; args?: string[] } = {},
): Promise<Result> {
  const { transport = "stdio", env = {} } = options;
  const home = mkdtempSync(join(tmpdir(), "wikiswarm-ts-"));
  const given: NodeJS.ProcessEnv = { ...process.env, WIKISWARM_HOME: home, ...env };
  const node = [process.execPath, "--import", "tsx", ...(options.args ?? []), place];
  if (transport === "fd") return finish(startProcess([PYTHON, "-c", PAIR, ...node], given));
  if (transport === "stdio") return finish(startProcess(node, given));
  const core = await startCore(given);
  try {
    const remote = { ...given, WIKISWARM_CORE_URL: core.url, WIKISWARM_TOKEN: core.token };
    return await finish(startProcess(node, remote));
  } finally {
    core.child.kill();
  }
}

/** Start a program, to wait for what it says. */
export function startProgram(place: string) {
  const child = startProcess([process.execPath, "--import", "tsx", place], process.env);
  let text = "";
  let heard = (): void => undefined;
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk) => {
      text += chunk;
      heard();
    });
  }
  let isOver = false;
  child.once("close", () => {
    isOver = true;
    heard();
  });
  const said = async (words: string): Promise<void> => {
    while (!text.includes(words)) {
      if (isOver) throw new Error(`the program has ended: ${text}`);
      await new Promise<void>((resolve) => {
        heard = resolve;
      });
    }
  };
  return { child, said };
}

/** Start a core that listens for WebSockets. */
export async function startCore(env: NodeJS.ProcessEnv = process.env, ...more: string[]) {
  const token = "t0ken";
  const child = startProcess([PYTHON, "-m", "bindings", "--ws", "127.0.0.1:0", ...more], {
    ...env,
    WIKISWARM_TOKEN: token,
  });
  const url = await new Promise<string>((resolve, reject) => {
    let said = "";
    child.stderr?.on("data", (chunk) => {
      said += chunk;
      const found = /listening on (ws:\S+)/.exec(said);
      if (found?.[1]) resolve(found[1]);
    });
    child.once("exit", () => reject(new Error(`the core did not start: ${said}`)));
  });
  return { child, url, token };
}

function startProcess(command: string[], env: NodeJS.ProcessEnv): ChildProcess {
  const [program = "", ...args] = command;
  return spawn(program, args, { cwd: PACKAGE, env, stdio: ["ignore", "pipe", "pipe"] });
}

function finish(child: ChildProcess): Promise<Result> {
  const started = Date.now();
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk) => (stdout += chunk));
  child.stderr?.on("data", (chunk) => (stderr += chunk));
  return new Promise((resolve) => {
    child.once("close", (code) =>
      resolve({ code, stdout, stderr, seconds: (Date.now() - started) / 1000 }),
    );
  });
}

/** A server that answers POSTs as a provider would; keeps what it was asked. */
export async function startProvider(answer: (body: never, path: string) => unknown) {
  const asked: { path: string; body: Record<string, unknown> }[] = [];
  const server = createServer(async (request, response) => {
    const body = JSON.parse(await text(request)) as Record<string, unknown>;
    const path = request.url ?? "";
    asked.push({ path, body });
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(answer(body as never, path)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { asked, url: `http://127.0.0.1:${port}`, stop: () => server.close() };
}

async function text(request: IncomingMessage): Promise<string> {
  let all = "";
  for await (const chunk of request) all += chunk;
  return all;
}
