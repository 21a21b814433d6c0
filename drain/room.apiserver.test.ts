// What is read from quotas and ranges is what the API server would say: each case is asked of it too, by a dry run of the pod,
// for which the quota's admission counts and writes nothing down.
import { expect, inject, test } from "vitest";
import { connect } from "#kube/connection.ts";
import type { KubeObject } from "#kube/kind.ts";
import { LimitRange, Namespace, Pod, ResourceQuota, ServiceAccount } from "#kube/kinds.ts";
import { reader } from "#kube/reader.ts";
import { writer } from "#kube/writer.ts";
import { patient } from "#test/support/patient.ts";
import { known } from "#wire/errors.ts";
import { afterUninstall } from "#wire/fence.ts";
import { type HookPod, roomFor } from "./room.ts";

const { signal } = new AbortController();
const usual = { requests: { cpu: "50m", memory: "96Mi" }, limits: { cpu: "2", memory: "512Mi" } };
const noLimit = { requests: { cpu: "50m", memory: "96Mi" } };

type Resources = HookPod["containers"][number];
type Case = [
  name: string,
  resources: Resources,
  quota: object | undefined,
  range: object | undefined,
  refused: RegExp | undefined,
];

const cases: readonly Case[] = [
  ["nothing", usual, undefined, undefined, undefined],
  ["just enough", usual, { hard: { pods: "1", "limits.cpu": "2", "requests.memory": "96Mi" } }, undefined, undefined],
  ["too few pods", usual, { hard: { pods: "0" } }, undefined, /exceeded quota: team, requested: pods=1/],
  [
    "too little memory",
    usual,
    { hard: { "limits.memory": "511Mi" } },
    undefined,
    /exceeded quota: team.*limits.memory/,
  ],
  ["a limit unsaid", noLimit, { hard: { "limits.cpu": "9" } }, undefined, /must specify limits.cpu/],
  [
    "a limit unsaid of what need not be said",
    noLimit,
    { hard: { "limits.ephemeral-storage": "0" } },
    undefined,
    undefined,
  ],
  [
    "a request from its limit",
    { limits: { cpu: "2" } },
    { hard: { "requests.cpu": "1" } },
    undefined,
    /exceeded quota/,
  ],
  ["another scope", usual, { hard: { pods: "0" }, scopes: ["Terminating"] }, undefined, undefined],
  [
    "its scope",
    usual,
    { hard: { pods: "0" }, scopes: ["NotBestEffort", "NotTerminating"] },
    undefined,
    /exceeded quota/,
  ],
  ["no pod without a class", usual, { hard: { pods: "0" }, scopes: ["PriorityClass"] }, undefined, undefined],
  ["a limit from a range", noLimit, { hard: { "limits.cpu": "2" } }, { default: { cpu: "2" } }, undefined],
  [
    "too high a limit from a range",
    noLimit,
    { hard: { "limits.cpu": "2" } },
    { default: { cpu: "3" } },
    /exceeded quota/,
  ],
  ["more than a range's most", usual, undefined, { max: { cpu: "1" } }, /maximum cpu usage per Container is 1/],
  ["less than a range's least", usual, undefined, { min: { memory: "97Mi" } }, /minimum memory usage per Container/],
  ["within a range", usual, undefined, { max: { cpu: "2" }, min: { cpu: "50m" } }, undefined],
  ["too far apart", usual, undefined, { maxLimitRequestRatio: { cpu: "39" } }, /cpu max limit to request ratio/],
];

test.for(cases.map((one, n) => [...one, n] as const))(
  "%s: as the API server says",
  async ([, resources, quota, limits, refused, n]) => {
    await using connection = patient(await connect({ kubeconfig: inject("kubeconfig") }));
    const [read, write] = [reader(connection), writer(connection, afterUninstall(signal))];
    const namespace = `room-${n}`;
    await write.create(Namespace, { metadata: { name: namespace } }, signal);
    const at = { name: "team", namespace };
    if (quota !== undefined) await write.create(ResourceQuota, { metadata: at, spec: quota } as KubeObject, signal);
    if (limits !== undefined) {
      const spec = { limits: [{ type: "Container", ...limits }] };
      await write.create(LimitRange, { metadata: at, spec } as KubeObject, signal);
    }
    // Pods are let in once their account is there, and quotas count once their controller has seen them.
    await expect.poll(async () => await read.get(ServiceAccount, { name: "default", namespace }, signal)).toBeDefined();
    const counted = async (): Promise<boolean> =>
      (await read.get(ResourceQuota, at, signal))?.status?.hard !== undefined;
    await expect.poll(counted).toBe(quota !== undefined);

    const containers = [{ name: "drain", image: "nothing", resources }];
    const body = { apiVersion: "v1", kind: "Pod", metadata: { name: "drain", namespace }, spec: { containers } };
    const dryRun = async (): Promise<string> =>
      await connection
        .request({
          method: "POST",
          path: `/api/v1/namespaces/${namespace}/pods`,
          query: { dryRun: "All" },
          body,
          signal,
        })
        .then(
          () => "",
          (error: unknown) => known(error).message,
        );
    const words = refused ?? /^$/;
    // Admission hears of a new quota or range by watches of its own.
    await expect.poll(dryRun).toMatch(words);
    const found = await roomFor(
      read,
      { name: "ngrok", namespace, fullname: "ngrok" },
      { containers: [resources] },
      signal,
    );
    expect(found.map(({ reason }) => reason)).toHaveLength(refused === undefined ? 0 : 1);
    // The dry run left nothing behind: no pod, and nothing that the quota counts.
    expect(await read.get(Pod, { name: "drain", namespace }, signal)).toBeUndefined();
    const used = Object.values((await read.get(ResourceQuota, at, signal))?.status?.used ?? {});
    expect(used.filter((amount) => amount !== "0")).toEqual([]);
  },
);
