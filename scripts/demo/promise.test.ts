// The last line of the demo and its exit code: what they promise to who reads them by a program.
import { expect, test } from "vitest";
import { closingLine, isAsPromised, type DemoResult } from "./promise.ts";

const kept: DemoResult = {
  policy: "Retain",
  objects: 60,
  finalizersBefore: 60,
  residue: 0,
  remote: 60,
  remoteServed: 60,
  harm: [],
  seconds: 7.26,
  code: 0,
};

test("the last line names what was counted", () => {
  expect(closingLine(kept)).toBe("policy=Retain objects=60 finalizers_before=60 residue=0 remote=60 seconds=7.3");
});

test("requests are counted at the end of the line, where there were any to send", () => {
  expect(closingLine({ ...kept, requestsOk: 10 })).toBe(
    "policy=Retain objects=60 finalizers_before=60 residue=0 remote=60 seconds=7.3 requests_ok=10",
  );
  expect(isAsPromised({ ...kept, requestsOk: 10 })).toBe(true);
});

test("Retain keeps everything at ngrok, Delete nothing", () => {
  expect(isAsPromised(kept)).toBe(true);
  expect(isAsPromised({ ...kept, remote: 59 })).toBe(false);
  expect(isAsPromised({ ...kept, policy: "Delete" })).toBe(false);
  expect(isAsPromised({ ...kept, policy: "Delete", remote: 0 })).toBe(true);
});

test.for([{ residue: 1 }, { finalizersBefore: 0 }, { code: 1 }, { harm: ["ingress shop is gone"] }, { requestsOk: 0 }])(
  "%o breaks the promise",
  (wrong) => {
    expect(isAsPromised({ ...kept, ...wrong })).toBe(false);
  },
);
