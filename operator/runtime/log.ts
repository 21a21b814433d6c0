// Logs as JSON lines (or plain ones for people), under the names that controller-runtime's tools know. Credentials never
// get as far as a line.
import pino, { type DestinationStream, type Logger } from "pino";

export type Log = Logger;

export type Encoder = "json" | "console";

/** zap's words for levels and what pino calls them; zap also takes a number, where more is more talkative. */
const levels: Readonly<Record<string, string>> = {
  debug: "debug",
  info: "info",
  warn: "warn",
  error: "error",
  dpanic: "fatal",
  panic: "fatal",
  fatal: "fatal",
};

export function isLevel(text: string): boolean {
  return Object.hasOwn(levels, text) || /^[1-9][0-9]?$/.test(text);
}

export function pinoLevel(text: string): string {
  return levels[text] ?? "debug";
}

export interface LogOptions {
  readonly level: string;
  readonly encoder: Encoder;
  /** Values that must not appear in any line, whatever wrote them. */
  readonly secrets: readonly string[];
}

/** Levels are written as words, times as RFC 3339 in `ts`, the text in `msg`, the object in `object`. */
export function openLog({ level, encoder, secrets }: LogOptions, out: DestinationStream): Log {
  const hidden = secrets.filter((secret) => secret.length >= 4);
  return pino(
    {
      level: pinoLevel(level),
      base: null,
      timestamp: () => `,"ts":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: ["apiKey", "authtoken", "*.apiKey", "*.authorization", "*.authtoken"], censor: "[hidden]" },
    },
    { write: (line: string) => out.write(encoder === "json" ? hide(line, hidden) : forPeople(hide(line, hidden))) },
  );
}

function hide(line: string, secrets: readonly string[]): string {
  return secrets.reduce((text, secret) => text.replaceAll(secret, "[hidden]"), line);
}

/** `time LEVEL text key=value ...`. */
function forPeople(line: string): string {
  const { ts, level, msg, ...rest } = JSON.parse(line) as { ts: string; level: string; msg?: string } & Record<
    string,
    unknown
  >;
  const pairs = Object.entries(rest).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return `${[ts, level.toUpperCase(), msg ?? "", ...pairs].join(" ")}\n`;
}
