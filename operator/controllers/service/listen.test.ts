// At which address a Service listens that has one written down: its own, and never that of the Service it was copied from.
import { expect, test } from "vitest";
import type { Kind, KubeObject, Ref } from "#kube/kind.ts";
import type { ServiceObject } from "#kube/kinds.ts";
import { aService } from "#test/support/builders.ts";
import { nothingCached } from "#test/support/cached.ts";
import type { Context, ObjectEvent } from "../../runtime/define-controller.ts";
import { settleListening } from "./listen.ts";
import { reservationOf } from "./plan.ts";

const address = "1.tcp.ngrok.io:1";
const url = `tcp://${address}`;
const creationTimestamp = "2026-01-02T00:00:00Z";
const database = (namespace: string): ServiceObject =>
  aService({
    metadata: { namespace, uid: namespace, creationTimestamp, annotations: { "ngrok.com/computed-url": url } },
  });

/** One pass over the Service of `staging`, whose address is reserved for that of `prod`; what it tells, and its URL. */
async function pass(others: readonly ServiceObject[], { unchanged = false, left = [] as object[] } = {}) {
  const service = database("staging");
  const told: string[] = [];
  const get = (_kind: Kind, at: Ref): KubeObject | undefined =>
    others.find(({ metadata }) => metadata.namespace === at.namespace && metadata.name === at.name);
  const context = {
    signal: new AbortController().signal,
    cached: { ...nothingCached, get },
    claimed: "before",
    asOf: 0,
    unchanged: () => unchanged,
    begin: () => Promise.resolve(),
    writer: { patch: () => Promise.resolve(service) },
    event: ({ reason, note }: ObjectEvent) => told.push(`${reason}: ${note}`),
    ngrok: {
      addresses: {
        find: () => Promise.resolve({ id: "ra_1", addr: address, ...reservationOf(database("prod")) }),
        matching: () => Promise.resolve(left),
        change: () => Promise.resolve({ id: "ra_2", addr: "1.tcp.ngrok.io:2" }),
      },
    },
  } as Partial<Record<keyof Context, unknown>> as Context;
  const listening = await settleListening(service, { is: "recorded", url, address }, context);
  return { told, url: "url" in listening ? listening.url : undefined };
}

test("a copy gets an address of its own, and is told whose it brought along", async () => {
  expect(await pass([database("prod")])).toEqual({
    told: [`TCPAddrNotReserved: ${address} is reserved for prod/database: another address is reserved`],
    url: "tcp://1.tcp.ngrok.io:2",
  });
});

test("who is all that is left of the two keeps the address", async () => {
  expect(await pass([])).toEqual({ told: [], url });
});

test("what was looked up once is not looked up at each pass", async () => {
  expect(await pass([database("prod")], { unchanged: true })).toEqual({ told: [], url });
});

test("an address that is older than the Service is another cluster's: a new one is reserved", async () => {
  const at = (addr: string, createdAt?: string): object => ({ id: "ra_0", addr, createdAt });
  const older = at("5.tcp.ngrok.io:5", "2026-01-01T00:00:00Z");
  expect((await pass([database("prod")], { left: [older] })).url).toBe("tcp://1.tcp.ngrok.io:2");
  for (const createdAt of ["2026-01-02T00:00:01Z", undefined]) {
    const { url: found } = await pass([database("prod")], { left: [older, at("6.tcp.ngrok.io:6", createdAt)] });
    expect(found).toBe("tcp://6.tcp.ngrok.io:6");
  }
});
