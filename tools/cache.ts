// The folder outside the checkout where things are that are made once: who makes one does it alone, under a temporary
// name, and renames it when it is whole, so that what is there is complete.
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";

/** Takes one line of progress for a person. */
export type Tell = (line: string) => void;

/** `$NGROK_OPERATOR_CACHE`, else ngrok-operator in `$XDG_CACHE_HOME` or ~/.cache. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const own = env["NGROK_OPERATOR_CACHE"];
  if (own) return resolve(own);
  return join(env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "ngrok-operator");
}

/** Makes `folder` by `make(temporary)` unless it is there; a `make` that throws leaves nothing. */
export async function madeOnce(folder: string, make: (temporary: string) => Promise<void>): Promise<string> {
  if (existsSync(folder)) return folder;
  await mkdir(dirname(folder), { recursive: true });
  const temporary = await mkdtemp(join(dirname(folder), `.${basename(folder).slice(0, 16)}-`));
  try {
    await make(temporary);
    await rename(temporary, folder);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return folder;
}

/**
 * Runs `work` while no other process of this machine runs work of the same name. The lock is an abstract socket: the
 * kernel frees it with its process, so it is never stale, and who waits is woken by the end of a connection.
 */
export async function alone<T>(name: string, tell: Tell, work: () => Promise<T>): Promise<T> {
  const address = `\0ngrok-operator/${name}`;
  let told = false;
  for (;;) {
    const lock = await take(address);
    if (lock) {
      try {
        return await work();
      } finally {
        lock.free();
      }
    }
    if (!told) tell(`waiting for another process that does the same (${name})`);
    told = true;
    await ended(address);
  }
}

function take(address: string): Promise<{ free(): void } | undefined> {
  const waiting = new Set<Socket>();
  const server: Server = createServer((socket) => {
    waiting.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => waiting.delete(socket));
  });
  const free = (): void => {
    server.close();
    for (const socket of waiting) socket.destroy();
  };
  return new Promise((done, fail) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") done(undefined);
      else fail(error);
    });
    server.listen(address, () => {
      server.unref();
      done({ free });
    });
  });
}

/** Resolves when whoever listens at `address` is gone. */
function ended(address: string): Promise<void> {
  return new Promise((done) => {
    const socket = connect(address);
    socket.on("error", () => {}); // refused: gone already
    socket.once("close", () => done());
  });
}
