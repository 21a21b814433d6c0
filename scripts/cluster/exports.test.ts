// The shell code of `cluster env` can be evaluated whatever a path holds.
import { expect, test } from "vitest";
import type { Cluster } from "#tools/cluster/provider.ts";
import { shellExports } from "./exports.ts";

test("without a cluster there is PATH alone, with our folders first", () => {
  expect(shellExports(["/a", "/b"], undefined)).toEqual([`export PATH='/a:/b':"$PATH"`]);
});

test("a cluster's variables follow, quoted", () => {
  const cluster: Pick<Cluster, "env"> = { env: { KUBECONFIG: "/it's $HOME/config", HOST_IP: "10.89.0.1" } };
  expect(shellExports(["/a"], cluster).slice(1)).toEqual([
    `export KUBECONFIG='/it'\\''s $HOME/config'`,
    `export HOST_IP='10.89.0.1'`,
  ]);
});
