// Stands in for 0.24's programs: answers the probes, and where it is told of an election, stands for the Lease by the rules
// of client-go with the defaults of controller-runtime (15 s, 10 s, 2 s), and does not free it when it is stopped.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";
const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port, POD_NAMESPACE: namespace } = process.env;
const [DURATION_MS, DEADLINE_MS, RETRY_MS] = [15_000, 10_000, 2_000];

createServer((_, response) => response.end("ok")).listen(8081);
process.once("SIGTERM", () => process.exit(0));
const election = process.argv.find((each) => each.startsWith("--election-id="))?.split("=")[1];
if (election !== undefined) await lead(election, `${process.env.POD_NAME}_${crypto.randomUUID()}`);

async function lead(name, identity) {
  const leases = `https://${host}:${port}/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
  let seen = { text: "", at: 0 };
  let renewedAt;
  for (; ; await new Promise((done) => setTimeout(done, RETRY_MS))) {
    if (await attempt().catch(() => false)) {
      if (renewedAt === undefined) console.log(`${identity} leads`);
      renewedAt = performance.now();
    } else if (renewedAt !== undefined && performance.now() - renewedAt > DEADLINE_MS) {
      throw new Error(`${identity} lost the Lease`);
    }
  }

  async function attempt() {
    const now = `${new Date().toISOString().slice(0, -1)}000Z`;
    const mine = { holderIdentity: identity, leaseDurationSeconds: DURATION_MS / 1000, renewTime: now };
    const found = await call("GET", `${leases}/${name}`);
    if (found.status === 404) {
      const spec = { ...mine, acquireTime: now, leaseTransitions: 0 };
      const body = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name, namespace }, spec };
      return (await call("POST", leases, body)).ok;
    }
    if (!found.ok) return false;
    const lease = await found.json();
    const { holderIdentity = "", acquireTime, leaseTransitions = 0 } = lease.spec;
    const text = JSON.stringify(lease.spec);
    if (text !== seen.text) seen = { text, at: performance.now() };
    const isMine = holderIdentity === identity;
    if (holderIdentity !== "" && !isMine && performance.now() - seen.at < DURATION_MS) return false;
    const taken = { acquireTime: now, leaseTransitions: leaseTransitions + 1 };
    const spec = { ...mine, ...(isMine ? { acquireTime, leaseTransitions } : taken) };
    return (await call("PUT", `${leases}/${name}`, { ...lease, spec })).ok;
  }
}

async function call(method, url, body) {
  const headers = {
    authorization: `Bearer ${readFileSync(`${ACCOUNT}/token`, "utf8")}`,
    "content-type": "application/json",
  };
  const signal = AbortSignal.timeout(5_000);
  return await fetch(url, { method, headers, signal, ...(body && { body: JSON.stringify(body) }) });
}
