// The identities of one cluster: its certificate authority, a certificate per component, the keys that sign
// ServiceAccount tokens, and the kubeconfig files made of them.
import { readFile, writeFile } from "node:fs/promises";
import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { command } from "../../command.ts";

/** The clients of an API server by the name of their files, with the subject that RBAC and the Node authorizer know. */
const CLIENTS = {
  admin: "/O=system:masters/CN=admin",
  "controller-manager": "/CN=system:kube-controller-manager",
  scheduler: "/CN=system:kube-scheduler",
  kubelet: "/O=system:nodes/CN=system:node:NODE",
  proxy: "/CN=system:kube-proxy",
} as const;

export type Client = keyof typeof CLIENTS;

export interface Identities {
  /** With ca.crt, apiserver.crt, CLIENT.crt, their .key files, sa.key and sa.pub. */
  readonly folder: string;
  readonly addresses: readonly string[];
  readonly node: string;
}

/** The first address of the range, which the Service `kubernetes` gets. */
const API_SERVICE_IP = "10.96.0.1";
const DAYS = ["-days", "3650"];
const NAMES = [
  "localhost",
  ...["", ".default", ".default.svc", ".default.svc.cluster.local"].map((end) => `kubernetes${end}`),
];

/** Makes all of them in `folder`, which exists; `addresses` are those at which the API server is called. */
export async function makeIdentities({ folder, addresses, node }: Identities): Promise<void> {
  await key(folder, "ca");
  const own = ["-key", "ca.key", "-subj", "/CN=cluster-ca", ...DAYS];
  await openssl(folder, ["req", "-x509", "-new", ...own, "-out", "ca.crt"]);
  await Promise.all([
    serverCertificate(folder, "apiserver", addresses),
    ...Object.entries(CLIENTS).map(([name, subject]) =>
      certificate(folder, name, subject.replace("NODE", node), ["extendedKeyUsage=clientAuth"]),
    ),
    signer(folder),
  ]);
}

/** Makes NAME.crt and NAME.key for something that is called as the API server is, at these addresses. */
export async function serverCertificate(folder: string, name: string, addresses: readonly string[]): Promise<void> {
  const names = [
    ...[...addresses, "127.0.0.1", API_SERVICE_IP].map((address) => `IP:${address}`),
    ...NAMES.map((each) => `DNS:${each}`),
  ];
  const alternatives = `subjectAltName=${[...new Set(names)].join(",")}`;
  await certificate(folder, name, "/CN=kube-apiserver", ["extendedKeyUsage=serverAuth", alternatives]);
}

/** A certificate that the folder's authority signs. */
async function certificate(
  folder: string,
  name: string,
  subject: string,
  extensions: readonly string[],
): Promise<void> {
  await key(folder, name);
  const signed = ["-CA", "ca.crt", "-CAkey", "ca.key", "-key", `${name}.key`, "-subj", subject, ...DAYS];
  const all = ["basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature", ...extensions];
  const lines = all.flatMap((line) => ["-addext", line]);
  await openssl(folder, ["req", "-x509", "-new", ...signed, ...lines, "-out", `${name}.crt`]);
}

/** Writes the kubeconfig of one client, everything inline, so that the file can be copied away. */
export async function writeKubeconfig(identities: string, client: Client, server: string, file: string): Promise<void> {
  const base64 = async (name: string): Promise<string> => (await readFile(join(identities, name))).toString("base64");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "cluster", cluster: { server, "certificate-authority-data": await base64("ca.crt") } }],
    users: [
      {
        name: client,
        user: {
          "client-certificate-data": await base64(`${client}.crt`),
          "client-key-data": await base64(`${client}.key`),
        },
      },
    ],
    contexts: [{ name: "cluster", context: { cluster: "cluster", user: client } }],
    "current-context": "cluster",
  };
  await writeFile(file, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
}

async function key(folder: string, name: string): Promise<void> {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  await writeFile(join(folder, `${name}.key`), privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
}

async function signer(folder: string): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  await writeFile(join(folder, "sa.key"), privateKey.export({ type: "sec1", format: "pem" }), { mode: 0o600 });
  await writeFile(join(folder, "sa.pub"), publicKey.export({ type: "spki", format: "pem" }));
}

async function openssl(cwd: string, args: readonly string[]): Promise<void> {
  await command("openssl", args, { cwd });
}
