// Logins and refusals of a real API server: client certificates, exec plugins, tokens of pods, rights, throttling, a slow network.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { tcpProxy } from "#test/support/tcp-proxy.ts";
import { systemClock } from "#wire/clock.ts";
import type { KnownError } from "#wire/errors.ts";
import { afterUninstall } from "#wire/fence.ts";
import { missingRights } from "./access.ts";
import { connect, type ConnectOptions, type Connection } from "./connection.ts";
import * as kinds from "./kinds.ts";
import { reader } from "./reader.ts";
import { writer, type Writer } from "./writer.ts";

const { signal } = new AbortController();
const namespace = "connection-test";

/** A kubeconfig with one cluster, as the file holds it. */
interface Kubeconfig {
  clusters: [{ cluster: Record<string, string> & { server: string } }];
  users: [{ user: Record<string, unknown> }];
}

let admin: Connection;
let write: Writer;

beforeAll(async () => {
  admin = await connect({ kubeconfig: inject("kubeconfig") });
  write = writer(admin, afterUninstall(signal));
  await write.create(kinds.Namespace, { metadata: { name: namespace } }, signal);
  return async () => await admin[Symbol.asyncDispose]();
});

async function kubeconfig(change: (config: Kubeconfig) => void = () => undefined): Promise<Kubeconfig> {
  const config = parse(await readFile(inject("kubeconfig"), "utf8")) as Kubeconfig;
  change(config);
  return config;
}

async function connected(options: ConnectOptions): Promise<Connection> {
  const connection = await connect(options);
  onTestFinished(async () => await connection[Symbol.asyncDispose]());
  return connection;
}

async function failureOf(work: Promise<unknown>): Promise<KnownError> {
  try {
    await work;
  } catch (error) {
    return error as KnownError;
  }
  throw new Error("expected a failure");
}

async function folder(files: Readonly<Record<string, string>>): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "connection-test-"));
  onTestFinished(async () => await rm(path, { recursive: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
  return path;
}

/** A token of a new ServiceAccount without rights. */
async function tokenOf(name: string): Promise<string> {
  await write.create(kinds.ServiceAccount, { metadata: { name, namespace } }, signal);
  return await tokenAgain(name);
}

async function tokenAgain(name: string): Promise<string> {
  const answer = (await admin.request({
    method: "POST",
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
    body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 3600 } },
    signal,
  })) as { status: { token: string } };
  return answer.status.token;
}

async function userOf(connection: Connection): Promise<string> {
  const answer = (await connection.request({
    method: "POST",
    path: "/apis/authentication.k8s.io/v1/selfsubjectreviews",
    body: { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" },
    signal,
  })) as { status: { userInfo: { username: string } } };
  return answer.status.userInfo.username;
}

describe("logins", () => {
  test("a client certificate", async () => {
    expect(await userOf(admin)).toBe("admin");
  });

  test("a pod's ServiceAccount, whose token is read again when it was replaced", async () => {
    const url = new URL((await kubeconfig()).clusters[0].cluster.server);
    const ca = Buffer.from((await kubeconfig()).clusters[0].cluster["certificate-authority-data"] ?? "", "base64");
    const path = await folder({ token: "a.wrong.token", "ca.crt": ca.toString("utf8") });
    const env = { KUBERNETES_SERVICE_HOST: url.hostname, KUBERNETES_SERVICE_PORT: url.port };
    // Time stands still: only the refusal of the old token can make it be read again.
    const connection = await connected({ env, serviceAccountDir: path, clock: { ...systemClock, now: () => 0 } });
    expect(await failureOf(userOf(connection))).toMatchObject({ class: "invalid", code: "Unauthorized" });
    await writeFile(join(path, "token"), await tokenOf("pod"));
    expect(await userOf(connection)).toBe(`system:serviceaccount:${namespace}:pod`);
    const watch = connection.watch({ path: "/api/v1/pods", signal });
    expect(await failureOf(watch[Symbol.asyncIterator]().next())).toMatchObject({
      class: "invalid",
      code: "Forbidden",
    });
  });

  test("an exec plugin, asked again when its token has expired", async () => {
    const path = await folder({ token: "a.wrong.token" });
    const status = `{"expirationTimestamp":"2020-01-01T00:00:00Z","token":"'$(cat ${join(path, "token")})'"}`;
    const script = `echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":${status}}'`;
    const exec = { apiVersion: "client.authentication.k8s.io/v1", command: "sh", args: ["-c", script] };
    const config = await kubeconfig((each) => (each.users[0].user = { exec }));
    const connection = await connected({ kubeconfig: config });
    await writeFile(join(path, "token"), await tokenOf("exec"));
    expect(await userOf(connection)).toBe(`system:serviceaccount:${namespace}:exec`);
  });

  test("an exec plugin that is not installed, or fails with a secret on its lips, is one line", async () => {
    const using = async (command: string, args: string[]) =>
      await kubeconfig(
        (each) => (each.users[0].user = { exec: { apiVersion: "client.authentication.k8s.io/v1", command, args } }),
      );
    const missing = await failureOf(connect({ kubeconfig: await using("no-such-plugin", []) }));
    expect(missing.message).toBe("the given kubeconfig: the exec plugin no-such-plugin gave no credential (ENOENT)");
    const failed = await failureOf(connect({ kubeconfig: await using("sh", ["-c", "echo token s3cr3t >&2; exit 1"]) }));
    expect(failed.class).toBe("invalid");
    expect(`${failed.message} ${failed.hint ?? ""} ${String(failed.cause)}`).not.toContain("s3cr3t");
  });

  test("a CA that did not sign the server is a matter for a person", async () => {
    const config = await kubeconfig((each) => delete each.clusters[0].cluster["certificate-authority-data"]);
    const connection = await connected({ kubeconfig: config });
    expect(await failureOf(userOf(connection))).toMatchObject({
      class: "invalid",
      hint: expect.stringContaining("CA") as string,
    });
  });
});

describe("rights", () => {
  test("that are missing are found before they are needed, each once", async () => {
    const token = await tokenOf("nobody");
    const connection = await connected({ kubeconfig: await kubeconfig((each) => (each.users[0].user = { token })) });
    const questions = [
      { verb: "patch", group: "networking.k8s.io", resource: "ingresses" },
      { verb: "patch", group: "networking.k8s.io", resource: "ingresses" },
      { verb: "get", group: "", resource: "configmaps", namespace, name: "state" },
      { verb: "create", group: "authorization.k8s.io", resource: "selfsubjectaccessreviews" },
      { verb: "update", group: "ngrok.k8s.ngrok.com", resource: "cloudendpoints", subresource: "status" },
    ];
    expect((await missingRights(connection, questions, signal)).map((each) => each.text)).toEqual([
      "patch ingresses.networking.k8s.io in all namespaces",
      `get configmaps state in namespace ${namespace}`,
      "update cloudendpoints.ngrok.k8s.ngrok.com/status in all namespaces",
    ]);
    expect(await missingRights(admin, questions, signal)).toEqual([]);
  });

  test("missing in a list are unknown, never an empty list, and say which", async () => {
    const token = await tokenOf("lister");
    const connection = await connected({ kubeconfig: await kubeconfig((each) => (each.users[0].user = { token })) });
    const list = reader(connection).pages(kinds.Ingress, {}, signal)[Symbol.asyncIterator]();
    expect(await failureOf(list.next())).toMatchObject({
      class: "invalid",
      code: "Forbidden",
      hint: expect.stringContaining(
        '"list" on ingresses in API group networking.k8s.io in the whole cluster',
      ) as string,
    });
  });
});

test("priority and fairness turns a crowd away: throttled, with the wait that the server asked for", async () => {
  const limited = {
    type: "Limited",
    limited: {
      nominalConcurrencyShares: 1,
      lendablePercent: 0,
      borrowingLimitPercent: 0,
      limitResponse: { type: "Reject" },
    },
  };
  const flow = "/apis/flowcontrol.apiserver.k8s.io/v1";
  const subjects = [{ kind: "User", user: { name: "crowd" } }];
  const resourceRules = [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"], namespaces: ["*"], clusterScope: true }];
  const spec = {
    priorityLevelConfiguration: { name: "few-seats" },
    matchingPrecedence: 2,
    rules: [{ subjects, resourceRules }],
  };
  await admin.request({
    method: "POST",
    path: `${flow}/prioritylevelconfigurations`,
    body: { metadata: { name: "few-seats" }, spec: limited },
    signal,
  });
  await admin.request({
    method: "POST",
    path: `${flow}/flowschemas`,
    body: { metadata: { name: "crowd" }, spec },
    signal,
  });
  const connection = await connected({ kubeconfig: await kubeconfig((each) => (each.users[0].user["as"] = "crowd")) });
  // Shorter than the wait that the server asks for: the question is not asked again, and the refusal is seen.
  const once = { method: "GET", path: "/api/v1/pods", signal, timeoutMs: 900 } as const;
  const ask = async () => await failureOf(connection.request(once));
  const turnedAway = async () =>
    (await Promise.all(Array.from({ length: 100 }, ask))).find((failure) => failure.class === "throttled");
  const eventually = { interval: 100 };
  await expect.poll(turnedAway, eventually).toMatchObject({ class: "throttled", retryAfterMs: 1_000, status: 429 });
});

test("a network that passes nothing any more: each call ends at its deadline, and works again afterwards (W26)", async () => {
  const config = await kubeconfig();
  await using proxy = await tcpProxy(config.clusters[0].cluster.server);
  config.clusters[0].cluster.server = proxy.url;
  const connection = await connected({ kubeconfig: config });
  const ask = async (timeoutMs = 30_000) =>
    await connection.request({ method: "GET", path: "/version", signal, timeoutMs });
  await ask();
  proxy.freeze();
  expect(await failureOf(ask(300))).toMatchObject({
    class: "transient",
    code: "Timeout",
    message: expect.stringContaining("within 300 ms") as string,
  });
  const silent = connection.watch({ path: "/api/v1/namespaces", signal, silenceMs: 300, timeoutMs: 300 });
  expect(await failureOf(silent[Symbol.asyncIterator]().next())).toMatchObject({ class: "transient" });
  proxy.thaw();
  await expect.poll(async () => await ask()).toBeDefined();
  proxy.cut();
  expect(
    await ask().then(
      () => "worked",
      (error: KnownError) => error.class,
    ),
  ).toMatch(/worked|transient/);
});
