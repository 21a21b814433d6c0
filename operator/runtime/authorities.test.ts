// What becomes of the authorities in a folder, as the kubelet brings them and changes them.
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { testClock } from "#test/support/clock.ts";
import { followAuthorities, readAuthorities } from "./authorities.ts";
import { openLog } from "./log.ts";

const pem = (name: string): string => `-----BEGIN CERTIFICATE-----\n${name}\n`;

interface Volume extends AsyncDisposable {
  readonly folder: string;
  /** As the kubelet does it: the files are links through `..data`, and that link alone changes. */
  swap(files: Readonly<Record<string, string>>): Promise<void>;
}

async function volume(files: Readonly<Record<string, string>>): Promise<Volume> {
  const folder = await mkdtemp(join(tmpdir(), "authorities-"));
  let count = 0;
  const swap: Volume["swap"] = async (next) => {
    const data = `..${(count += 1)}`;
    await mkdir(join(folder, data));
    for (const [name, text] of Object.entries(next)) await writeFile(join(folder, data, name), text);
    await symlink(data, join(folder, "..data_tmp"));
    await rename(join(folder, "..data_tmp"), join(folder, "..data"));
  };
  await swap(files);
  for (const name of Object.keys(files)) await symlink(join("..data", name), join(folder, name));
  return { folder, swap, [Symbol.asyncDispose]: async () => await rm(folder, { recursive: true }) };
}

async function follow(folder: string, before: readonly string[]) {
  const clock = testClock();
  const lines: string[] = [];
  const log = openLog({ level: "debug", encoder: "json", secrets: [] }, { write: (line) => void lines.push(line) });
  const over = new AbortController();
  let told = 0;
  followAuthorities({ folder, before, clock, log, signal: over.signal }, () => (told += 1));
  return {
    told: () => told,
    lines,
    clock,
    /** A change has been heard of, and the moment is over in which more of it may come. */
    async looks() {
      await expect.poll(() => clock.sleeping).toBe(1);
      await clock.advance(1_000);
    },
    [Symbol.dispose]: () => over.abort(new Error("the test is over")),
  };
}

test("a volume's authorities are its files in order, without the folders of the kubelet; none without a volume", async () => {
  await using at = await volume({ "b.crt": pem("b"), "a.crt": pem("a") });
  expect(await readAuthorities(at.folder)).toEqual([pem("a"), pem("b")]);
  expect(await readAuthorities(join(at.folder, "nowhere"))).toEqual([]);
});

test("what the kubelet swaps is told once it has other contents, and each time", async () => {
  await using at = await volume({ "ca.crt": pem("a") });
  using followed = await follow(at.folder, [pem("a")]);
  await followed.looks();
  await at.swap({ "ca.crt": pem("b") });
  await followed.looks();
  await expect.poll(followed.told).toBe(1);
  await at.swap({ "ca.crt": pem("c") });
  await followed.looks();
  await expect.poll(followed.told).toBe(2);
});

test("the same contents are no change, and what is no certificate is said and changes nothing", async () => {
  await using at = await volume({ "ca.crt": pem("a") });
  using followed = await follow(at.folder, [pem("a")]);
  await followed.looks();
  await at.swap({ "ca.crt": pem("a") });
  await followed.looks();
  await at.swap({ "ca.crt": "nothing" });
  await followed.looks();
  await expect.poll(() => followed.lines.join("")).toContain("ca.crt is no PEM certificate");
  expect(followed.told()).toBe(0);
});

test("what has changed since it was read, before anybody followed it, is told", async () => {
  await using at = await volume({ "ca.crt": pem("b") });
  using followed = await follow(at.folder, [pem("a")]);
  await followed.looks();
  await expect.poll(followed.told).toBe(1);
});

test("a folder that is not there is no trouble, and not waited for", async () => {
  using followed = await follow("/no/such/folder", []);
  await followed.clock.advance(60_000);
  expect([followed.told(), followed.clock.sleeps, followed.lines]).toEqual([0, [], []]);
});
