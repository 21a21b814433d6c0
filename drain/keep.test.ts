// A report in pieces, read back: what is not whole must not look whole, since it is all that says what stayed at ngrok.
import { expect, test } from "vitest";
import type { Reader } from "#kube/reader.ts";
import { readReport } from "./keep.ts";

const release = { name: "ngrok", namespace: "ops", fullname: "ngrok-operator" };
const { signal } = new AbortController();

type Piece = Readonly<Record<string, string>> | undefined;

/** Of a cluster that has these pieces, by their places. */
async function read(...pieces: readonly Piece[]) {
  const names = ["ngrok-operator-drain-report", "ngrok-operator-drain-report-2"];
  const get = async (_kind: unknown, { name }: { name: string }) => {
    const data = pieces[names.indexOf(name)];
    return await Promise.resolve(data === undefined ? undefined : { metadata: { name }, data });
  };
  return await readReport({ get } as unknown as Reader, release, signal);
}

const first = { policy: "Retain", at: "1", drain: "d", piece: "1 of 2", kept: "domain shop/a rd_1", removed: "" };
const second = { ...first, piece: "2 of 2", kept: "domain shop/b rd_2", removed: "ippolicy shop/c ipp_1" };

test("all pieces of one writing are one whole report (F27)", async () => {
  expect(await read(first, second)).toMatchObject({
    complete: true,
    told: { kept: ["domain shop/a rd_1", "domain shop/b rd_2"], removed: ["ippolicy shop/c ipp_1"] },
  });
});

test.for([
  ["whose second piece is missing", [first]],
  ["whose writer was killed between the pieces", [{ ...first, at: "2" }, second]],
  [
    "for which all pieces were too few",
    [
      { ...first, omitted: "7" },
      { ...second, omitted: "7" },
    ],
  ],
] as const)("one %s is read as far as it goes, and not called complete (F27)", async ([, pieces], { expect }) => {
  const report = await read(...pieces);
  expect(report?.complete).toBe(false);
  expect(report?.told.kept[0]).toBe("domain shop/a rd_1");
});

test("without its first piece there is none", async () => {
  expect(await read(undefined, second)).toBeUndefined();
});
