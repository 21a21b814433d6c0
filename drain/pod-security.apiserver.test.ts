// What is said of a pod security level is what the API server would say: each case is asked of it too, by a dry run.
import { expect, inject, test } from "vitest";
import { connect } from "#kube/connection.ts";
import { Namespace, ServiceAccount } from "#kube/kinds.ts";
import { reader } from "#kube/reader.ts";
import { writer } from "#kube/writer.ts";
import { patient } from "#test/support/patient.ts";
import { known } from "#wire/errors.ts";
import { afterUninstall } from "#wire/fence.ts";
import type { SecuredPod } from "./pod-security.ts";
import { roomFor } from "./room.ts";

const { signal } = new AbortController();

/** The chart's own. */
const pod = { runAsNonRoot: true, runAsUser: 65_532, seccompProfile: { type: "RuntimeDefault" } };
const container = { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } };
const hostPath = [{ name: "ca", hostPath: { path: "/etc/ssl" } }];
const secret = [
  { name: "ca", secret: { secretName: "ca" } },
  { name: "scratch", emptyDir: {} },
];

type Case = readonly [name: string, level: string, pod: SecuredPod, refused: readonly string[]];
const as = (more: SecuredPod): SecuredPod => ({ securityContext: pod, containerSecurityContext: container, ...more });
const withContainer = (more: object): SecuredPod => as({ containerSecurityContext: { ...container, ...more } });
const withPod = (more: object): SecuredPod => as({ securityContext: { ...pod, ...more } });

const cases: readonly Case[] = [
  ["the chart's own", "restricted", as({}), []],
  ["a Secret and a scratch folder", "restricted", as({ volumes: secret }), []],
  ["a folder of the node", "restricted", as({ volumes: hostPath }), ["extraVolumes (ca: hostPath)"]],
  ["a folder of the node", "baseline", as({ volumes: hostPath }), ["extraVolumes (ca: hostPath)"]],
  ["a folder of the node", "privileged", as({ volumes: hostPath }), []],
  [
    "a share",
    "restricted",
    as({ volumes: [{ name: "s", nfs: { server: "a", path: "/" } }] }),
    ["extraVolumes (s: nfs)"],
  ],
  ["a share", "baseline", as({ volumes: [{ name: "s", nfs: { server: "a", path: "/" } }] }), []],
  ["nothing said", "baseline", {}, []],
  [
    "nothing said",
    "restricted",
    {},
    [
      "containerSecurityContext.allowPrivilegeEscalation",
      "podSecurityContext.runAsNonRoot",
      "podSecurityContext.seccompProfile",
      "containerSecurityContext.capabilities.drop",
    ],
  ],
  [
    "root",
    "restricted",
    withPod({ runAsUser: 0, runAsNonRoot: false }),
    ["podSecurityContext.runAsNonRoot", "podSecurityContext.runAsUser"],
  ],
  [
    "a container that overrules its pod",
    "restricted",
    withContainer({ runAsNonRoot: false }),
    ["podSecurityContext.runAsNonRoot"],
  ],
  [
    "a profile of the container's own",
    "restricted",
    as({
      securityContext: { runAsNonRoot: true },
      containerSecurityContext: { ...container, seccompProfile: { type: "RuntimeDefault" } },
    }),
    [],
  ],
  [
    "no profile",
    "baseline",
    withPod({ seccompProfile: { type: "Unconfined" } }),
    ["podSecurityContext.seccompProfile"],
  ],
  ["low ports", "restricted", withContainer({ capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] } }), []],
  [
    "a capability",
    "restricted",
    withContainer({ capabilities: { drop: ["ALL"], add: ["CHOWN"] } }),
    ["containerSecurityContext.capabilities.add"],
  ],
  ["a capability", "baseline", withContainer({ capabilities: { add: ["CHOWN"] } }), []],
  [
    "the network's",
    "baseline",
    withContainer({ capabilities: { add: ["NET_ADMIN"] } }),
    ["containerSecurityContext.capabilities.add"],
  ],
  [
    "privileged",
    "baseline",
    { containerSecurityContext: { privileged: true } },
    ["containerSecurityContext.privileged"],
  ],
  [
    "another type of SELinux",
    "baseline",
    withPod({ seLinuxOptions: { type: "spc_t" } }),
    ["podSecurityContext.seLinuxOptions"],
  ],
  ["a level of SELinux", "restricted", withPod({ seLinuxOptions: { level: "s0:c1" } }), []],
  [
    "a kernel's setting",
    "baseline",
    withPod({ sysctls: [{ name: "kernel.msgmax", value: "1" }] }),
    ["podSecurityContext.sysctls"],
  ],
  ["a harmless one", "restricted", withPod({ sysctls: [{ name: "net.ipv4.tcp_syncookies", value: "1" }] }), []],
];

test.for(cases.map((one, n) => [...one, n] as const))(
  "%s at the level %s: as the API server says",
  async ([, level, secured, refused, n]) => {
    await using connection = patient(await connect({ kubeconfig: inject("kubeconfig") }));
    const [read, write] = [reader(connection), writer(connection, afterUninstall(signal))];
    const namespace = `pod-security-${n}`;
    const labels = { "pod-security.kubernetes.io/enforce": level };
    await write.create(Namespace, { metadata: { name: namespace, labels } }, signal);
    // Pods are let in once their account is there.
    await expect.poll(async () => await read.get(ServiceAccount, { name: "default", namespace }, signal)).toBeDefined();
    const { securityContext, containerSecurityContext, volumes } = secured;
    const containers = [{ name: "drain", image: "nothing", securityContext: containerSecurityContext }];
    const spec = { containers, securityContext, volumes, automountServiceAccountToken: false };
    const body = { apiVersion: "v1", kind: "Pod", metadata: { name: "drain", namespace }, spec };
    const request = { method: "POST", path: `/api/v1/namespaces/${namespace}/pods`, body, signal } as const;
    const dryRun = async (): Promise<string> =>
      await connection.request({ ...request, query: { dryRun: "All" } }).then(
        () => "",
        (error: unknown) => known(error).message,
      );
    // Admission hears of account and label by watches of its own.
    await expect.poll(dryRun).toMatch(refused.length === 0 ? /^$/ : /violates PodSecurity/);
    const found = await roomFor(
      read,
      { name: "ngrok", namespace, fullname: "ngrok" },
      { containers: [{}], secured },
      signal,
    );
    const reason = `the label pod-security.kubernetes.io/enforce=${level} of namespace ${namespace} refuses ${refused.join(", ")}`;
    expect(found.map((one) => one.reason)).toEqual(refused.length === 0 ? [] : [reason]);
  },
);
