/**
 * Where the core is: a child process of this one, an inherited socket, or a WebSocket.
 *
 * `WIKISWARM_FD` and `WIKISWARM_CORE_URL` say that a core is there already; without them the
 * package starts one.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { Socket } from "node:net";
import { delimiter, join } from "node:path";
import type { MessageReader, MessageWriter } from "vscode-jsonrpc/node";
import { ConnectionLostError, SetupError } from "../generated/errors.js";
import { LineReader, LineWriter } from "./ndjson.js";

/** A way to the core. */
export interface Transport {
  reader: MessageReader;
  writer: MessageWriter & { limit: number };
  /** Sent with `initialize`. */
  token?: string;
  /** Whether the core was started by, and for, this program. */
  isOwn: boolean;
  /** Whether it goes on over another connection when one breaks. */
  canResume?: boolean;
  /** Keep the process alive for the core, or not. */
  hold(isHeld: boolean): void;
  /** Let go of the core; a child of this process ends. */
  close(): void;
  /** Say why the core is gone, once its messages have ended. */
  reason(): Promise<string>;
}

/** How long an exit status may come after the last message. */
const EXIT_MS = 500;

type Environment = NodeJS.ProcessEnv;

/** Open the way to the core that the environment names. */
export async function openTransport(env: Environment = process.env): Promise<Transport> {
  if (env.WIKISWARM_FD || isTaken) return inherited(env);
  if (env.WIKISWARM_CORE_URL) return remote(env.WIKISWARM_CORE_URL, env.WIKISWARM_TOKEN);
  return started(env);
}

/** Return the Python that the core is started with. */
export function findPython(env: Environment): string {
  if (env.WIKISWARM_PYTHON) return env.WIKISWARM_PYTHON;
  const inside = process.platform === "win32" ? ["Scripts", "python.exe"] : ["bin", "python"];
  if (env.VIRTUAL_ENV) {
    const python = join(env.VIRTUAL_ENV, ...inside);
    if (existsSync(python)) return python;
  }
  const name = process.platform === "win32" ? "python.exe" : "python3";
  const folder = (env.PATH ?? "").split(delimiter).find((one) => existsSync(join(one, name)));
  return folder === undefined ? name : join(folder, name);
}

async function started(env: Environment): Promise<Transport> {
  const python = findPython(env);
  const child = spawn(python, ["-m", "bindings", "--stdio"], {
    stdio: ["pipe", "pipe", "inherit"],
    env,
    windowsHide: true,
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (error) =>
      reject(
        new SetupError(`the core was not started with ${python}: ${error.message}`, {
          hint: "install wikiswarm for Python, or name its interpreter in WIKISWARM_PYTHON",
          cause: error,
        }),
      ),
    );
  });
  const { stdin, stdout } = child as ChildProcess & { stdin: Socket; stdout: Socket };
  const ended = new Promise<string>((resolve) => {
    child.once("exit", (code, signal) => {
      const hint =
        code === 1 ? `; is wikiswarm installed for ${python}? WIKISWARM_PYTHON names another` : "";
      resolve(
        signal ? `the core was ended by ${signal}` : `the core ended with status ${code}${hint}`,
      );
    });
  });
  return {
    reader: new LineReader(stdout),
    writer: new LineWriter(stdin),
    isOwn: true,
    hold(isHeld) {
      for (const one of [child, stdin, stdout]) isHeld ? one.ref() : one.unref();
    },
    close() {
      // It ends by itself then; nothing here waits for that.
      stdin.end();
      for (const one of [child, stdin, stdout]) one.unref();
    },
    reason() {
      const late = new Promise<string>((resolve) => {
        setTimeout(resolve, EXIT_MS, "the core closed the connection").unref();
      });
      return Promise.race([ended, late]);
    },
  };
}

/** An inherited socket is there once. */
let isTaken = false;

function inherited(env: Environment): Transport {
  if (isTaken) throw new ConnectionLostError("the core that this program was started with is gone");
  const fd = Number(env.WIKISWARM_FD);
  if (!Number.isInteger(fd) || fd < 0) {
    throw new SetupError("WIKISWARM_FD is not the number of a socket");
  }
  isTaken = true;
  // A child of this process does not have the socket, and must not take another one for it.
  delete env.WIKISWARM_FD;
  const socket = new Socket({ fd, readable: true, writable: true });
  return {
    reader: new LineReader(socket),
    writer: new LineWriter(socket),
    isOwn: false,
    hold: (isHeld) => void (isHeld ? socket.ref() : socket.unref()),
    close: () => void socket.destroySoon(),
    reason: async () => "the core closed the connection",
  };
}

async function remote(url: string, token: string | undefined): Promise<Transport> {
  const [{ TextSocket }, { ResumableSocket }] = await Promise.all([
    import("./websocket.js"),
    import("./resume.js"),
  ]);
  const connect = () => TextSocket.open(url, { token });
  const socket = new ResumableSocket(await connect(), connect);
  return {
    reader: socket.reader,
    writer: socket.writer,
    ...(token === undefined ? {} : { token }),
    isOwn: false,
    canResume: true,
    hold: (isHeld) => socket.hold(isHeld),
    close: () => socket.close(),
    reason: async () => socket.reason,
  };
}
