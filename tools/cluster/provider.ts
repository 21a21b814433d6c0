// What every way to have a Kubernetes cluster offers, so that demo, tests and bench run on any of them.
import type { Tell } from "../cache.ts";

export const PROVIDERS = ["embedded", "kind", "current"] as const;

/** `embedded`: built and started here; `kind`: by the kind CLI in Docker; `current`: whatever the kubeconfig names. */
export type ProviderName = (typeof PROVIDERS)[number];

/** A cluster that runs. */
export interface Cluster {
  readonly name: string;
  readonly provider: ProviderName;
  /** File of a cluster admin; its server is reachable from the host. */
  readonly kubeconfig: string;
  /** Address at which pods reach a program of the host that listens on it or on 0.0.0.0. */
  readonly hostIp: string;
  /** host:port of the registry that host and nodes reach by the same name, over plain http. */
  readonly registry: string;
  /** Folder with kubectl, helm (4), helm3 and crane. */
  readonly bin: string;
  /** The cluster's own folder: logs, kubeconfig, state. */
  readonly folder: string;
  /** The API server's audit log, one JSON event a line, where the provider has one. */
  readonly auditLog?: string;
  /** For `nsenter -t PID -n PROGRAM`: a program inside of the cluster's network, such as a load generator. */
  readonly pid?: number;
  /** KUBECONFIG, HOST_IP, REGISTRY and CLUSTER_NAME, for a child process; PATH is the caller's to make. */
  readonly env: Readonly<Record<string, string>>;
}

export interface UpOptions {
  readonly name: string;
  readonly tell: Tell;
  /** Whether the cluster ends with this process, however that ends; for tests. */
  readonly bound?: boolean;
  /** Milliseconds until a start that is not ready has failed, two minutes by default. */
  readonly deadline?: number;
  /** Flags of kube-apiserver, where the provider starts one itself. */
  readonly apiServerFlags?: readonly string[];
  /** For `current`: asks a person and resolves to the answer; without it the answer is no. */
  readonly confirm?: (question: string) => Promise<boolean>;
  /** For `current`: a registry, with or without a path, to which we may push and from which its nodes pull. */
  readonly registry?: string;
  /** For `current`: the address at which its pods reach this machine, where that is not the one that reaches it. */
  readonly hostIp?: string;
}

/** One part of a cluster and how it is. */
export interface PartStatus {
  readonly part: string;
  readonly ok: boolean;
  readonly says: string;
}

/** One line of the doctor: what was looked at, what is there, and what to do when that does not do. */
export interface Finding {
  readonly what: string;
  readonly ok: boolean;
  readonly found: string;
  readonly remedy?: string;
}

export interface Provider {
  readonly name: ProviderName;
  /** Starts the cluster, or finds it running. What a killed `up` left is cleaned first. */
  up(options: UpOptions): Promise<Cluster>;
  /** Ends it without a trace; false when there was nothing. */
  down(name: string, tell: Tell): Promise<boolean>;
  /** The running cluster, or undefined. */
  find(name: string): Promise<Cluster | undefined>;
  status(cluster: Cluster): Promise<PartStatus[]>;
  /** Everything that this provider needs of the machine. */
  doctor(): Promise<Finding[]>;
}
