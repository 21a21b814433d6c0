// `ngrok-drain run` and `rescue` that do not come to their end: exit code 1, the reason, and the same command, which does
// when the reason is gone; and how long one run may take.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Domain } from "#api/domain.ts";
import { FINALIZER } from "#api/keys.ts";
import { type DrainCli, type Ended, startDrainCli } from "#test/support/drain-cli.ts";

let cli: DrainCli;

beforeAll(async () => {
  cli = await startDrainCli();
});

afterAll(async () => await cli[Symbol.asyncDispose]());

beforeEach(async () => {
  await cli.reset();
  await cli.operator();
  await cli.domain("ours", "ops/ngrok");
});

const DELETION = { method: "DELETE", path: /^\/reserved_domains/ };

async function typed(line: string): Promise<Ended> {
  // The name is what `rescue` asks for; `run` asks nothing.
  return await cli.outside(line.split(" "), { NGROK_API_KEY: "key" }, "ngrok\n");
}

/** The command that an answer ends with, as a person would type it. */
function again({ out }: Ended): string {
  return /^again +ngrok-drain (.+)$/m.exec(out)?.[1] ?? `no such line in ${out}`;
}

async function left() {
  const domain = await cli.read.get(Domain, { name: "ours", namespace: "shop" }, cli.signal);
  return { finalizers: domain?.metadata.finalizers, atNgrok: cli.api.objects("reserved_domains").length };
}

const HELD = { finalizers: [FINALIZER], atNgrok: 1 };
const GONE = { finalizers: undefined, atNgrok: 0 };

describe.for([
  ["run -n ops --policy Delete", "-o json"],
  ["rescue ngrok -n ops --policy Delete", "--confirm ngrok -o json"],
] as const)("ngrok-drain %s", ([line, machine]) => {
  test("exits with 1 while ngrok refuses, with the object and the reason, and with 0 when it does not any more", async () => {
    const fault = cli.api.faults.add({ kind: "status", status: 403, match: DELETION, times: Infinity });
    const first = await typed(line);
    expect(first.out).toMatch(/^blocked +domain shop\/ours: .+/m);
    expect(first.out).toMatch(/^stopped +0 of 1 done; what is named above keeps its finalizer/m);
    expect({ code: first.code, ...(await left()) }).toEqual({ code: 1, ...HELD });

    const document = await typed(`${line} ${machine}`);
    expect(JSON.parse(document.out)).toMatchObject({ ok: false, ending: "blocked", done: 0, total: 1 });
    expect(document.code).toBe(1);

    fault.remove();
    const second = await typed(again(first));
    expect({ code: second.code, ...(await left()) }).toEqual({ code: 0, ...GONE });
  });

  test("--timeout ends the run before a wait that is longer, with exit code 1; the next run goes on", async () => {
    cli.api.faults.add({ kind: "status", status: 429, retryAfter: 40, match: DELETION });
    const first = await typed(`${line} --timeout 30`);
    expect(first.out).toMatch(/^blocked +domain shop\/ours: .+; the server asks to wait 40s$/m);
    expect(first.out).toMatch(/^paused +0 of 1 done in the time of this run/m);
    expect({ code: first.code, ...(await left()) }).toEqual({ code: 1, ...HELD });

    const second = await typed(again(first));
    expect({ code: second.code, ...(await left()) }).toEqual({ code: 0, ...GONE });
  });

  test.for(["29", "soon"])(
    "--timeout %s is no time for a run: exit code 1, and nothing was changed",
    async (seconds) => {
      const { code, out, err } = await typed(`${line} --timeout ${seconds}`);
      expect({ code, out, err }).toEqual({
        code: 1,
        out: "",
        err: "ngrok-drain: --timeout is not a number of seconds from 30 on\n",
      });
      expect({ state: await cli.stateNow(), ...(await left()) }).toEqual({ state: undefined, ...HELD });
    },
  );
});
