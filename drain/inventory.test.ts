// What a list that fails means: begun again, or not known; never an empty kind by mistake.
import { test } from "vitest";
import { Domain } from "#api/domain.ts";
import { FINALIZER } from "#api/keys.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import type { Page as ListPage, Reader } from "#kube/reader.ts";
import { aDomain } from "#test/support/builders.ts";
import { KnownError } from "#wire/errors.ts";
import { inventory } from "./inventory.ts";
import { rows } from "./kinds.ts";

const { signal } = new AbortController();
const release = { name: "ngrok", namespace: "ops", fullname: "ngrok-operator" };
const domains = rows.filter(({ kind }) => kind.plural === Domain.plural);
const expired = new KnownError("gone", "too old resource version", { status: 410, code: "Expired" });
const objects = ["a", "b"].map((name) => aDomain({ metadata: { name, finalizers: [FINALIZER] } }));

/** A server whose lists give one object a page, and fail so often before the second page. */
function failing(times: number, error: KnownError): Reader {
  let left = times;
  async function* pages<T extends KubeObject>(_kind: Kind<T>): AsyncGenerator<ListPage<T>> {
    yield { items: [objects[0] as KubeObject as T], resourceVersion: "1" };
    if ((left -= 1) >= 0) throw await Promise.resolve(error);
    yield { items: [objects[1] as KubeObject as T], resourceVersion: "1" };
  }
  return { pages } as unknown as Reader;
}

async function told(read: Reader): Promise<string[]> {
  const said: string[] = [];
  const scope = { release, clusterWide: true };
  for await (const page of inventory(read, domains, scope, { release, others: "none" }, signal))
    said.push("unknown" in page ? `unknown: ${page.unknown.message}` : page.found[0]!.object.metadata.name);
  return said;
}

test("a list that expires in the middle is begun again, so that no object is left out", async ({ expect }) => {
  expect(await told(failing(2, expired))).toEqual(["a", "a", "a", "b"]);
});

test("a list that always expires is unknown, which is not empty (F9)", async ({ expect }) => {
  expect((await told(failing(Infinity, expired))).at(-1)).toBe("unknown: too old resource version");
});

test("a list that is refused in the middle is unknown, though some of it was seen (F9)", async ({ expect }) => {
  const forbidden = new KnownError("invalid", "forbidden", { status: 403, code: "Forbidden" });
  expect(await told(failing(1, forbidden))).toEqual(["a", "unknown: forbidden"]);
});
