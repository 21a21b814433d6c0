// The program ngrok-translate: the process's arguments, files and streams, handed to the command line.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import process from "node:process";
import { text } from "node:stream/consumers";
import { ngrokTranslate } from "./program.ts";

// `| head` closes the pipe when it has seen enough.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

// npm changes into the project's folder; what a person types is relative to where they stand.
const place = (file: string): string => resolve(process.env["INIT_CWD"] ?? "", file);

process.exitCode = await ngrokTranslate(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  read: async (file) => (file === "-" ? await text(process.stdin) : await readFile(place(file), "utf8")),
});
