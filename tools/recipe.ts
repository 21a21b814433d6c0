// How the programs are built, as data: the go commands that turn tools/go.mod and tools/testing/go.mod into programs,
// and the key under which the result is cached. A change of a line here or in the modules makes a new folder.
import { createHash } from "node:crypto";

/** One `go build`. */
export interface GoBuild {
  readonly packages: readonly string[];
  /** What go names after a package's last path element, and its name here. */
  readonly rename?: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  readonly cgo?: boolean;
}

/** The versions of a go.mod by module path, as its require lines say. */
export function versions(goMod: string): (module: string) => string {
  const found = new Map(
    [...goMod.matchAll(/^\s*(?:require )?(\S+) (v\S+)(?: \/\/ indirect)?$/gm)].map(([, path, version]) => [
      path,
      version,
    ]),
  );
  return (module) => {
    const version = found.get(module);
    if (version === undefined) throw new Error(`tools: go.mod requires no ${module}`);
    return version;
  };
}

const KUBERNETES = "k8s.io/kubernetes/cmd";
const CONTAINERD = "github.com/containerd/containerd/v2/cmd";
// Storage drivers that need C libraries and that no cluster of ours uses.
const TAGS = ["-tags", "no_btrfs,no_devmapper,no_zfs"];

/** The programs of a cluster, from tools/go.mod. One build of all packages, since two would compile the same twice. */
export function clusterBuilds(goMod: string): readonly GoBuild[] {
  const version = versions(goMod);
  const kubernetes = version("k8s.io/kubernetes");
  const [major, minor] = kubernetes.slice(1).split(".");
  // None of them knows its version from the module; discovery, `helm version` and conditions would say v0.0.0.
  const stamps = [
    `k8s.io/component-base/version.gitVersion=${kubernetes}`,
    `k8s.io/component-base/version.gitMajor=${major}`,
    `k8s.io/component-base/version.gitMinor=${minor}`,
    `helm.sh/helm/v4/internal/version.version=${version("helm.sh/helm/v4")}`,
    `helm.sh/helm/v3/internal/version.version=${version("helm.sh/helm/v3")}`,
    `github.com/containerd/containerd/v2/version.Version=${version("github.com/containerd/containerd/v2").slice(1)}`,
  ];
  const args = [...TAGS, "-ldflags", ["-s -w", ...stamps.map((stamp) => `-X ${stamp}`)].join(" ")];
  const components = [
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "kubectl",
  ];
  return [
    {
      packages: [
        ...components.map((name) => `${KUBERNETES}/${name}`),
        "go.etcd.io/etcd/server/v3",
        `${CONTAINERD}/containerd`,
        `${CONTAINERD}/containerd-shim-runc-v2`,
        "github.com/google/go-containerregistry/cmd/crane",
        "helm.sh/helm/v4/cmd/helm",
      ],
      rename: { server: "etcd", helm: "helm4" },
      args,
    },
    // Its own command, since both Helms call themselves helm.
    { packages: ["helm.sh/helm/v3/cmd/helm"], rename: { helm: "helm3" }, args },
    {
      packages: ["github.com/opencontainers/runc"],
      args: [
        "-tags",
        "seccomp",
        "-ldflags",
        `-s -w -X main.version=${version("github.com/opencontainers/runc").slice(1)}`,
      ],
      cgo: true,
    },
  ];
}

/** The programs of the tests, from tools/testing/go.mod. */
export function testBuilds(goMod: string): readonly GoBuild[] {
  const chartTesting = versions(goMod)("github.com/helm/chart-testing/v3");
  return [
    {
      packages: [
        "github.com/helm/chart-testing/v3/ct",
        "github.com/helm-unittest/helm-unittest/cmd/helm-unittest",
        "sigs.k8s.io/kind",
      ],
      args: ["-ldflags", `-s -w -X github.com/helm/chart-testing/v3/ct/cmd.Version=${chartTesting}`],
    },
  ];
}

/** The checkers of chart and workflows, from tools/checks/go.mod. */
export function checkBuilds(): readonly GoBuild[] {
  return [
    {
      packages: [
        "github.com/rhysd/actionlint/cmd/actionlint",
        "github.com/yannh/kubeconform/cmd/kubeconform",
        "github.com/zegl/kube-score/cmd/kube-score",
      ],
      args: ["-ldflags", "-s -w"],
    },
  ];
}

/** What reads alerting rules, from tools/rules/go.mod; without the clients of twenty clouds. */
export function ruleBuilds(): readonly GoBuild[] {
  return [
    {
      packages: ["github.com/prometheus/prometheus/cmd/promtool"],
      args: ["-tags", "remove_all_sd", "-ldflags", "-s -w"],
    },
  ];
}

/** The environment of every go build: GOGC=off takes a third less time and 3.6 GB at the peak. */
export function goEnvironment(build: GoBuild): Record<string, string> {
  return { CGO_ENABLED: build.cgo ? "1" : "0", GOFLAGS: "-buildvcs=false", GOGC: "off" };
}

/** A hex key of everything that decides what is built. */
export function cacheKey(...parts: readonly unknown[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(typeof part === "string" ? part : JSON.stringify(part)).update("\0");
  return hash.digest("hex");
}
