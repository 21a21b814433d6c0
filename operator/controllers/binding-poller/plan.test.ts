// From the addresses of ngrok's list, and what is there, to BoundEndpoints, as data.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BoundEndpoint } from "#api/bound-endpoint.ts";
import { controllerLabels, DRAIN_OWNER } from "#api/keys.ts";
import { boundEndpointName } from "#api/names.ts";
import type { RemoteBoundEndpoint } from "#ngrok/operators.ts";
import { aggregate } from "./aggregate.ts";
import { planBindings, type Settings, type Step } from "./plan.ts";
import { isForwarderPort } from "./ports.ts";

const settings: Settings = {
  namespace: "ops",
  managerName: "ngrok-manager",
  stamp: "ops/ngrok",
  serviceLabels: {},
  serviceAnnotations: {},
};

function remote(publicUrl: string): RemoteBoundEndpoint {
  const id = `ep_${publicUrl}`;
  return { id, uri: `https://api.ngrok.com/endpoints/${id}`, proto: "", publicUrl };
}

/** As it stands after it was made for the address. */
function made(url: string, more: { name?: string; port?: number; age?: number } = {}): BoundEndpoint {
  const [step] = planBindings(aggregate([remote(url)]).addresses, [], settings).steps;
  if (step?.is !== "create") throw new Error(`nothing is made for ${url}`);
  const { object, shown } = step;
  const creationTimestamp = `2026-01-01T00:00:${String(more.age ?? 0).padStart(2, "0")}Z`;
  return {
    ...object,
    metadata: { ...object.metadata, name: more.name ?? object.metadata.name, uid: url, creationTimestamp },
    spec: { ...object.spec, port: more.port ?? object.spec.port },
    status: shown,
  };
}

function stamped(endpoint: BoundEndpoint, owner: string, labels?: Record<string, string>): BoundEndpoint {
  const metadata = { ...endpoint.metadata, annotations: { [DRAIN_OWNER]: owner } };
  if (labels === undefined) delete metadata.labels;
  else metadata.labels = labels;
  return { ...endpoint, metadata };
}

function steps(
  given: readonly string[],
  there: readonly BoundEndpoint[],
  more: Partial<Settings> = {},
): readonly Step[] {
  return planBindings(aggregate(given.map((url) => remote(url))).addresses, there, { ...settings, ...more }).steps;
}

const WEB = "http://web.default:80";
const API = "http://api.default:80";

describe("what is written", () => {
  test("what is missing is made, with labels that say whose it is", () => {
    const [step] = steps([WEB], [], { serviceLabels: { team: "a" }, serviceAnnotations: { note: "b" } });
    expect(step).toMatchObject({
      is: "create",
      object: {
        metadata: { name: boundEndpointName(WEB), namespace: "ops", labels: controllerLabels("ops", "ngrok-manager") },
        spec: {
          endpointURL: WEB,
          scheme: "http",
          target: {
            service: "web",
            namespace: "default",
            protocol: "TCP",
            port: 80,
            metadata: { labels: { team: "a" }, annotations: { note: "b" } },
          },
        },
      },
      shown: { hashedName: boundEndpointName(WEB), endpointsSummary: "1 endpoint", endpoints: [{ id: `ep_${WEB}` }] },
    });
  });

  test("nothing, where all is as wanted", () => {
    expect(steps([WEB, API], [made(WEB), made(API)])).toEqual([]);
  });

  test("what is not wanted any more goes", () => {
    expect(steps([WEB], [made(WEB), made(API)])).toMatchObject([
      { is: "remove", object: { spec: { endpointURL: API } } },
    ]);
  });

  test("a change keeps the port", () => {
    const before = made(WEB, { port: 12_345 });
    const [step] = steps([WEB], [before], { serviceLabels: { team: "a" } });
    expect(step).toMatchObject({ is: "change", operations: [{ path: "/spec", value: { port: 12_345 } }] });
  });

  test("where only the endpoints of an address are others, the status alone is written", () => {
    const before = { ...made(WEB), status: { endpoints: [{ id: "ep_old", uri: "" }] } };
    expect(steps([WEB], [before])).toMatchObject([
      { is: "change", operations: [], shown: { endpointsSummary: "1 endpoint" } },
    ]);
  });

  test("one that is on its way out is waited for", () => {
    const going = made(WEB);
    going.metadata.deletionTimestamp = "2026-01-01T00:00:00Z";
    expect(steps([WEB], [going])).toEqual([]);
    expect(steps([], [going])).toEqual([]);
  });

  test("one of the address under another name goes, and it is made under its own", () => {
    const odd = made(WEB, { name: "ngrok-odd" });
    expect(steps([WEB], [odd]).map(({ is, object }) => `${is} ${object.metadata.name}`)).toEqual([
      "remove ngrok-odd",
      `create ${boundEndpointName(WEB)}`,
    ]);
  });
});

describe("whose a BoundEndpoint is", () => {
  test.for<readonly [string, BoundEndpoint, boolean]>([
    ["one with our labels", made(API), true],
    ["one with our labels and our stamp", stamped(made(API), "ops/ngrok", made(API).metadata.labels), true],
    ["one of a release that wrote no labels, with our stamp", stamped(made(API), "ops/ngrok"), true],
    [
      "one with our labels and another release's stamp",
      stamped(made(API), "ops/other", made(API).metadata.labels),
      false,
    ],
    [
      "another release's",
      { ...made(API), metadata: { ...made(API).metadata, labels: controllerLabels("ops", "other") } },
      false,
    ],
    ["one in another namespace", { ...made(API), metadata: { ...made(API).metadata, namespace: "prod" } }, false],
    ["one that a person wrote", stamped(made(API, { name: "mine" }), "ops/ngrok"), false],
  ])("%s that nobody wants: is it taken away? (W20)", ([, one, goes]) => {
    expect(steps([], [one]).map(({ is }) => is)).toEqual(goes ? ["remove"] : []);
  });

  test("one without a spec is made anew, and stops nothing (W20)", () => {
    const empty = { ...made(WEB), spec: undefined } as unknown as BoundEndpoint;
    expect(steps([WEB, API], [empty]).map(({ is, object }) => `${is} ${object.metadata.name}`)).toEqual([
      `create ${boundEndpointName(API)}`,
      `remove ${boundEndpointName(WEB)}`,
    ]);
  });

  test("one with our stamp that says nothing of whose it is, nor of its address, is left alone, and stops nothing (W20)", () => {
    const bare = { ...stamped(made(WEB, { name: "bare" }), "ops/ngrok"), spec: {} } as unknown as BoundEndpoint;
    expect(steps([API], [bare]).map(({ is, object }) => `${is} ${object.metadata.name}`)).toEqual([
      `create ${boundEndpointName(API)}`,
    ]);
  });

  test("another's under the very name is a problem that names both, and is left alone (W20)", () => {
    const others = stamped(made(WEB), "ops/other", controllerLabels("ops", "other"));
    const plan = planBindings(aggregate([remote(WEB), remote(API)]).addresses, [others], settings);
    expect(plan.steps.map(({ is, object }) => `${is} ${object.spec.endpointURL}`)).toEqual([`create ${API}`]);
    expect(plan.problems).toEqual([
      expect.stringContaining(`BoundEndpoint ops/${boundEndpointName(WEB)} belongs to the release ops/other`),
    ]);
  });
});

test("of 3,000 addresses no two share one", () => {
  const given = Array.from({ length: 3000 }, (_, n) => remote(`http://s${n}.default`));
  const { steps, problems } = planBindings(aggregate(given).addresses, [], settings);
  expect(problems).toEqual([]);
  const ports = steps.map(({ object }) => object.spec.port);
  expect(new Set(ports).size).toBe(3000);
  expect(ports.every(isForwarderPort)).toBe(true);
});

describe("bad ports stop nothing (W20)", () => {
  const ports = (there: readonly BoundEndpoint[]): Record<string, number> => {
    const after = new Map(there.map(({ spec }) => [spec.endpointURL, spec.port]));
    for (const step of steps([WEB, API], there))
      if (step.is === "change")
        for (const { value } of step.operations)
          after.set(step.object.spec.endpointURL, (value as { port: number }).port);
    return Object.fromEntries(after);
  };

  test("of two with one port the older keeps it", () => {
    const after = ports([made(WEB, { port: 11_000, age: 9 }), made(API, { port: 11_000, age: 3 })]);
    expect(after[API]).toBe(11_000);
    expect(after[WEB]).not.toBe(11_000);
    expect(isForwarderPort(after[WEB] ?? 0)).toBe(true);
  });

  test("one out of the range gets one in it", () => {
    const after = ports([made(WEB, { port: 80 }), made(API, { port: 65_535 })]);
    expect(Object.values(after).every(isForwarderPort)).toBe(true);
    expect(new Set(Object.values(after)).size).toBe(2);
  });

  test("one that a person has given to ours, as the forwarder's word tells them to, is kept", () => {
    expect(ports([made(WEB, { port: 40_404 }), made(API)])[WEB]).toBe(40_404);
  });

  test("a person's keeps its own, ours moves", () => {
    const mine = stamped(made("http://mine.default:80", { name: "mine", port: 11_000, age: 9 }), "ops/ngrok");
    expect(ports([made(WEB, { port: 11_000 }), made(API), mine])[WEB]).not.toBe(11_000);
  });
});

test("whatever there was, what is there in the end has each address once, and no port twice", () => {
  const url = fc.integer({ min: 0, max: 6 }).map((n) => `http://s${n}.default:80`);
  const there = fc.uniqueArray(
    fc.record({ url, port: fc.oneof(fc.integer({ min: 9_998, max: 10_003 }), fc.constant(65_535)), age: fc.nat(9) }),
    { selector: (one) => one.url },
  );
  fc.assert(
    fc.property(fc.uniqueArray(url), there, (wanted, before) => {
      const stored = new Map(before.map((one) => [one.url, made(one.url, one)]));
      for (const step of steps(wanted, [...stored.values()])) {
        const { endpointURL } = step.object.spec;
        if (step.is === "remove") stored.delete(endpointURL);
        if (step.is === "create") stored.set(endpointURL, step.object);
        if (step.is === "change")
          for (const { value } of step.operations)
            stored.set(endpointURL, { ...step.object, spec: value as BoundEndpoint["spec"] });
      }
      const ports = [...stored.values()].map(({ spec }) => spec.port);
      expect([...stored.keys()].toSorted()).toEqual(wanted.toSorted());
      expect(new Set(ports).size).toBe(ports.length);
      expect(ports.every(isForwarderPort)).toBe(true);
      expect(
        steps(wanted, [...stored.values()]).filter((step) => step.is !== "change" || step.operations.length > 0),
      ).toEqual([]);
    }),
  );
});
