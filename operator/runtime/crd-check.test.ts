// The question "is the kind going?" is answered by a read that began after it was asked, and shared by those who may.
import { expect, test } from "vitest";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { crdCheck, type Standing } from "./crd-check.ts";

const { signal } = new AbortController();

/** Reads that the test ends, each with its own answer. */
function reads() {
  const asked: string[] = [];
  const answers: ((answer: Standing) => void)[] = [];
  const check = crdCheck(async (kind) => {
    asked.push(kind.kind);
    return await new Promise((resolve) => answers.push(resolve));
  });
  return { asked, check, answer: (is: Standing) => answers.shift()?.(is) };
}

const there: Standing = { is: "there" };
const terminating: Standing = { is: "terminating", why: "it is being deleted" };

test("who asks while a read is under way is not answered by it, but shares the next one", async () => {
  const { asked, check, answer } = reads();
  const first = check.standing(CloudEndpoint, signal);
  const second = check.standing(CloudEndpoint, signal);
  const third = check.standing(CloudEndpoint, signal);
  expect(asked).toHaveLength(1);

  answer(there);
  expect(await first).toEqual(there);
  await Promise.resolve();
  expect(asked).toHaveLength(2);
  answer(terminating);

  expect(await second).toEqual(terminating);
  expect(await third).toEqual(terminating);
  expect(asked).toHaveLength(2);
});

test("who asks after a read has ended gets a new one", async () => {
  const { asked, check, answer } = reads();
  const first = check.standing(CloudEndpoint, signal);
  answer(there);
  await first;
  const second = check.standing(CloudEndpoint, signal);
  answer(terminating);
  expect(await second).toEqual(terminating);
  expect(asked).toHaveLength(2);
});

test("kinds do not wait for each other", () => {
  const { asked, check } = reads();
  void check.standing(CloudEndpoint, signal);
  void check.standing(Domain, signal);
  expect(asked).toEqual(["CloudEndpoint", "Domain"]);
});
