// The files that make a folder a cluster: configuration of kubelet, proxy, containerd and its network, and the command
// lines that init.sh runs. Paths are those inside, where the folder is /run/cluster.
import { chmod, copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AUDIT_POLICY } from "./audit.ts";
import { makeIdentities, writeKubeconfig, type Client } from "./certificates.ts";
import { apiServer, controllerManager, etcd, scheduler, type Component, type ControlPlaneShape } from "./components.ts";
import { mirrorFiles, registryComponent } from "../registry.ts";
import type { Shape, Subnet } from "./shape.ts";

export const NODE = "node1";
/** Ports inside the cluster's own network namespace, where nobody else's are. */
export const PORTS = {
  api: 6443,
  etcd: 2379,
  etcdPeer: 2380,
  etcdHealth: 2381,
  controllerManager: 10_257,
  scheduler: 10_259,
  kubelet: 10_248,
  proxy: 10_256,
  registry: 5000,
} as const;

const INSIDE = "/run/cluster";
const POD_SUBNET = "10.244.0.0/24";

export interface NodeOptions {
  readonly shape: Shape;
  readonly subnet: Subnet;
  /** The sandbox image, by digest. */
  readonly pause: string;
  readonly cniFolder: string;
  readonly apiServerFlags: readonly string[];
}

/** Fills the folder, which exists and is empty. */
export async function writeNode(options: NodeOptions): Promise<void> {
  const { shape, subnet } = options;
  const { folder } = shape;
  const folders = ["pki", "log", "etcd", "kubelet", "pod-logs", "containerd", "cni", "volume-plugins", "registry"];
  await Promise.all(folders.map((name) => mkdir(join(folder, name))));
  const components = [
    registryComponent(`${INSIDE}/registry`, PORTS.registry),
    ...controlPlane(options),
    { name: "containerd", args: ["--config", `${INSIDE}/containerd.toml`] },
    kubelet(subnet),
    { name: "kube-proxy", args: [`--config=${INSIDE}/proxy.json`, `--hostname-override=${NODE}`] },
  ];
  const texts: Record<string, string> = {
    "audit-policy.json": AUDIT_POLICY,
    "kubelet.json": JSON.stringify(kubeletConfiguration(shape), null, 2),
    "proxy.json": JSON.stringify(PROXY, null, 2),
    "cni/10-pods.conflist": JSON.stringify(CNI, null, 2),
    "containerd.toml": containerdConfiguration(options),
    // The machine's own may name a server that nothing here reaches, or be a link into /run.
    "resolv.conf": "# a cluster of the ngrok operator's tests: names outside of it are not resolved\n",
    "components.sh": components.map(keepLine).join(""),
    "controllers.sh": keepLine(controllerManager(planeShape(options))),
    ...mirrorFiles(`${subnet.nodeIp}:${PORTS.registry}`),
  };
  for (const [name, text] of Object.entries(texts)) {
    await mkdir(join(folder, name, ".."), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  await copyFile(join(import.meta.dirname, "init.sh"), join(folder, "init.sh"));
  await chmod(join(folder, "init.sh"), 0o755);
  await identities(shape, subnet);
}

async function identities({ folder }: Shape, { nodeIp }: Subnet): Promise<void> {
  const pki = join(folder, "pki");
  await makeIdentities({ folder: pki, addresses: [nodeIp], node: NODE });
  const server = `https://${nodeIp}:${PORTS.api}`;
  const clients: Client[] = ["admin", "controller-manager", "scheduler", "kubelet", "proxy"];
  await Promise.all(
    clients.map((client) => writeKubeconfig(pki, client, server, join(folder, `${client}.kubeconfig`))),
  );
}

function planeShape({ subnet, apiServerFlags }: NodeOptions): ControlPlaneShape {
  const { nodeIp } = subnet;
  const auditLog = `${INSIDE}/log/audit.log`;
  return { folder: INSIDE, auditLog, bind: "0.0.0.0", advertise: nodeIp, health: nodeIp, ports: PORTS, apiServerFlags };
}

function controlPlane(options: NodeOptions): Component[] {
  const plane = planeShape(options);
  return [etcd(plane), apiServer(plane), scheduler(plane)];
}

function kubelet({ nodeIp }: Subnet): Component {
  const args = [
    `--config=${INSIDE}/kubelet.json`,
    `--kubeconfig=${INSIDE}/kubelet.kubeconfig`,
    `--root-dir=${INSIDE}/kubelet`,
    `--cert-dir=${INSIDE}/kubelet/pki`,
    `--hostname-override=${NODE}`,
    `--node-ip=${nodeIp}`,
  ];
  return { name: "kubelet", args };
}

function kubeletConfiguration({ cgroup }: Shape): Record<string, unknown> {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: `${INSIDE}/pki/ca.crt` },
    },
    authorization: { mode: "Webhook" },
    containerRuntimeEndpoint: "unix:///run/containerd/containerd.sock",
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${cgroup}`,
    failCgroupV1: false,
    failSwapOn: false,
    enforceNodeAllocatable: [],
    clusterDNS: ["10.96.0.10"],
    clusterDomain: "cluster.local",
    resolvConf: `${INSIDE}/resolv.conf`,
    healthzBindAddress: "0.0.0.0",
    healthzPort: PORTS.kubelet,
    podLogsDir: `${INSIDE}/pod-logs`,
    volumePluginDir: `${INSIDE}/volume-plugins`,
    // The disk is the machine's; that it is full is not for this node to cure.
    evictionHard: { "memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%" },
    imageGCHighThresholdPercent: 100,
    rotateCertificates: false,
    // One pull that hangs must not hold up all others.
    serializeImagePulls: false,
  };
}

const PROXY = {
  apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
  kind: "KubeProxyConfiguration",
  clientConnection: { kubeconfig: `${INSIDE}/proxy.kubeconfig` },
  mode: "iptables",
  clusterCIDR: POD_SUBNET,
  healthzBindAddress: `0.0.0.0:${PORTS.proxy}`,
  // Else it sets the connection tracking of the whole machine.
  conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
};

// Pods are routed one by one instead of sharing a bridge: what comes back from a Service passes the node's rules even
// where the kernel module br_netfilter is missing.
const CNI = {
  cniVersion: "1.0.0",
  name: "pods",
  plugins: [
    {
      type: "ptp",
      ipMasq: true,
      ipam: {
        type: "host-local",
        ranges: [[{ subnet: POD_SUBNET }]],
        routes: [{ dst: "0.0.0.0/0" }],
        dataDir: "/run/cni-ipam",
      },
    },
    { type: "portmap", capabilities: { portMappings: true } },
  ],
};

function containerdConfiguration({ pause, cniFolder }: NodeOptions): string {
  return `version = 3
root = "${INSIDE}/containerd"
state = "/run/containerd"
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "${INSIDE}/opt"
[plugins."io.containerd.nri.v1.nri"]
  disable = true
[plugins."io.containerd.cri.v1.images"]
  snapshotter = "overlayfs"
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "${pause}"
[plugins."io.containerd.cri.v1.images".registry]
  config_path = "${INSIDE}/certs.d"
[plugins."io.containerd.cri.v1.runtime"]
  # Without CAP_SYS_RESOURCE a lower score may not be set, and every sandbox would fail.
  restrict_oom_score_adj = true
[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = ["${cniFolder}"]
  conf_dir = "${INSIDE}/cni"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
  BinaryName = "/run/bin/runc"
  SystemdCgroup = false
`;
}

/** A line of shell that starts the component in the background, its arguments quoted. */
function keepLine({ name, program = name, args }: Component): string {
  return `keep ${[name, program, ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ")} &\n`;
}
