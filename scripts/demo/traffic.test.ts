// Which answers the demo counts, and what it says of the others.
import { expect, test } from "vitest";
import { agentEndpoint, wrongOfBound, wrongOfPod } from "./traffic.ts";

const fromPod = { pod: "web", method: "GET", url: "/agent/1" };
const asker = { uid: "u-1", name: "web", namespace: "demo-traffic", annotations: {} };
const fromBound = { endpoint: "billing.demo-traffic:80", pod: asker, method: "GET", url: "/bindings/1" };

const answer = (told: object, status = 200) => ({ status, text: `${JSON.stringify(told)}\n` });

test("an answer counts when it says what was asked, of whom, and by whom", () => {
  expect(wrongOfPod("/agent/1", answer(fromPod))).toBeUndefined();
  expect(wrongOfBound("/bindings/1", "u-1", answer(fromBound))).toBeUndefined();
});

test.for([
  [answer({ ...fromPod, url: "/agent/2" }), 'answered {"pod":"web","method":"GET","url":"/agent/2"}, not {"pod":"web"'],
  [answer({ ...fromPod, pod: "other" }), 'answered {"pod":"other"'],
  [answer(fromPod, 502), 'answered 502 {"pod":"web"'],
  [{ status: 200, text: "<html>" }, "answered <html>, not {"],
  [{ status: 200, text: "null" }, "answered null, not {"],
  [{ status: 0, text: "connect ECONNREFUSED" }, "no answer: connect ECONNREFUSED"],
] as const)("%o from a pod is not the right one", ([given, said]) => {
  expect(wrongOfPod("/agent/1", given)).toContain(said);
});

test.for([
  { pod: { ...asker, uid: "u-2" } },
  { pod: { ...asker, namespace: "shop" } },
  { pod: undefined },
  { endpoint: "other.demo-traffic:80" },
])("the bound endpoint's answer with %o is not the right one", (wrong) => {
  expect(wrongOfBound("/bindings/1", "u-1", answer({ ...fromBound, ...wrong }))).toContain("answered {");
});

test("the AgentEndpoint leads to an address: the demo's cluster has no DNS", () => {
  expect(agentEndpoint("10.96.0.9")).toMatchObject({ spec: { upstream: { url: "http://10.96.0.9" } } });
});
