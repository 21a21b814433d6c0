// The command lines of the control plane, as data: the same for the whole cluster and for the bare control plane of the
// tests, which differ in addresses, ports and folders only.

/** Where one control plane lives. Paths are as its processes see them. */
export interface ControlPlaneShape {
  /** With pki, etcd, audit-policy.json and CLIENT.kubeconfig in it. */
  readonly folder: string;
  /** Written by the API server. */
  readonly auditLog: string;
  /** Address that the API server listens on, and the one it names to pods. */
  readonly bind: string;
  readonly advertise: string;
  /** Address at which etcd tells its health, and controller manager and scheduler serve /healthz. */
  readonly health: string;
  readonly ports: Readonly<
    Record<"api" | "etcd" | "etcdPeer" | "etcdHealth" | "controllerManager" | "scheduler", number>
  >;
  readonly apiServerFlags?: readonly string[];
}

/** One process: its name, which also names its log file, its program where that is called otherwise, its arguments. */
export interface Component {
  readonly name: string;
  readonly program?: string;
  readonly args: readonly string[];
}

/**
 * How Go programs keep their memory here: an API server whose heap may grow to five times what lives in it answers a quarter
 * more requests a second, and many of them run beside tests on two cores. From the limit on they collect as ever.
 */
export const GO_MEMORY = { GOGC: "400", GOMEMLIMIT: "1500MiB" } as const;

const SERVICE_RANGE = "--service-cluster-ip-range=10.96.0.0/16";

/** etcd without fsync: a cluster here never outlives a crash of its machine. */
export function etcd({ folder, ports, health }: ControlPlaneShape): Component {
  const url = `http://127.0.0.1:${ports.etcd}`;
  const peer = `http://127.0.0.1:${ports.etcdPeer}`;
  const args = [
    "--name=etcd",
    `--data-dir=${folder}/etcd`,
    "--unsafe-no-fsync",
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=etcd=${peer}`,
    `--listen-metrics-urls=http://${health}:${ports.etcdHealth}`,
    "--log-level=warn",
  ];
  return { name: "etcd", args };
}

/** The API server; later flags win, so `apiServerFlags` can change what stands before them. */
export function apiServer(shape: ControlPlaneShape): Component {
  const { folder, ports } = shape;
  const pki = `${folder}/pki`;
  const args = [
    `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
    `--bind-address=${shape.bind}`,
    `--secure-port=${ports.api}`,
    `--advertise-address=${shape.advertise}`,
    `--tls-cert-file=${pki}/apiserver.crt`,
    `--tls-private-key-file=${pki}/apiserver.key`,
    `--client-ca-file=${pki}/ca.crt`,
    `--kubelet-client-certificate=${pki}/admin.crt`,
    `--kubelet-client-key=${pki}/admin.key`,
    "--kubelet-preferred-address-types=InternalIP",
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${pki}/sa.pub`,
    `--service-account-signing-key-file=${pki}/sa.key`,
    SERVICE_RANGE,
    "--authorization-mode=Node,RBAC",
    "--enable-admission-plugins=NodeRestriction",
    "--allow-privileged",
    "--profiling=false",
    `--audit-policy-file=${folder}/audit-policy.json`,
    `--audit-log-path=${shape.auditLog}`,
    // In megabytes: never rotated under who reads it from a place onwards.
    "--audit-log-maxsize=20000",
    ...(shape.apiServerFlags ?? []),
  ];
  return { name: "kube-apiserver", args };
}

/**
 * The controller manager. It must start after `/readyz` says ok: before, it ends at once. With its default of 20
 * requests a second its own start takes 5 s, and garbage collection and namespace deletion would be what we measure.
 */
export function controllerManager({ folder, ports, health }: ControlPlaneShape): Component {
  const pki = `${folder}/pki`;
  const args = [
    ...kubeconfigFlags(`${folder}/controller-manager.kubeconfig`),
    `--root-ca-file=${pki}/ca.crt`,
    `--service-account-private-key-file=${pki}/sa.key`,
    `--cluster-signing-cert-file=${pki}/ca.crt`,
    `--cluster-signing-key-file=${pki}/ca.key`,
    "--use-service-account-credentials",
    "--leader-elect=false",
    `--bind-address=${health}`,
    `--secure-port=${ports.controllerManager}`,
    SERVICE_RANGE,
    "--node-monitor-period=1s",
    "--kube-api-qps=500",
    "--kube-api-burst=1000",
    // Else it makes /usr/libexec/kubernetes on the host.
    `--flex-volume-plugin-dir=${folder}/volume-plugins`,
  ];
  return { name: "kube-controller-manager", args };
}

/** The scheduler of the one node. */
export function scheduler({ folder, ports, health }: ControlPlaneShape): Component {
  const args = [
    ...kubeconfigFlags(`${folder}/scheduler.kubeconfig`),
    "--leader-elect=false",
    `--bind-address=${health}`,
    `--secure-port=${ports.scheduler}`,
  ];
  return { name: "kube-scheduler", args };
}

function kubeconfigFlags(file: string): string[] {
  return ["--kubeconfig", "--authentication-kubeconfig", "--authorization-kubeconfig"].map((flag) => `${flag}=${file}`);
}
