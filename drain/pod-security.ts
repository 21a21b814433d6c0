// What a pod security level has against the pod of a hook, as far as the chart's values can shape one: pure. The levels are those
// of the Pod Security Standards; whether the API server agrees: pod-security.apiserver.test.ts.

/** What the values can put into a pod's or a container's securityContext, as far as a level looks at it. */
export interface SecurityContext {
  readonly privileged?: boolean | null;
  readonly allowPrivilegeEscalation?: boolean | null;
  readonly runAsNonRoot?: boolean | null;
  readonly runAsUser?: number | null;
  readonly procMount?: string | null;
  readonly capabilities?: { readonly add?: readonly string[] | null; readonly drop?: readonly string[] | null } | null;
  readonly seccompProfile?: { readonly type?: string } | null;
  readonly appArmorProfile?: { readonly type?: string } | null;
  readonly seLinuxOptions?: { readonly user?: string; readonly role?: string; readonly type?: string } | null;
  readonly sysctls?: readonly { readonly name: string }[] | null;
  readonly windowsOptions?: { readonly hostProcess?: boolean } | null;
}

export interface SecuredPod {
  readonly securityContext?: SecurityContext | null;
  readonly containerSecurityContext?: SecurityContext | null;
  readonly volumes?: readonly Readonly<Record<string, unknown>>[] | null;
}

const ADDED = [
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "MKNOD",
  "NET_BIND_SERVICE",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
];
const SELINUX = ["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];
const VOLUMES = [
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "persistentVolumeClaim",
  "projected",
  "secret",
  "image",
];
const SYSCTLS = [
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.ping_group_range",
  "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
  "net.ipv4.tcp_rmem",
  "net.ipv4.tcp_wmem",
];

/** The values that `level` refuses, by their names in the chart; none for a level that is no stricter than privileged. */
export function refusedBy(level: string | undefined, pod: SecuredPod): readonly string[] {
  if (level !== "baseline" && level !== "restricted") return [];
  return [...baseline(pod), ...(level === "restricted" ? restricted(pod) : [])];
}

function baseline(pod: SecuredPod): string[] {
  const added = pod.containerSecurityContext?.capabilities?.add ?? [];
  return [
    ...volumesBut(pod, (type) => type !== "hostPath"),
    ...either(pod, (own, at) => [
      ...when(own.privileged === true, `${at}.privileged`),
      ...when((own.procMount ?? "Default") !== "Default", `${at}.procMount`),
      ...when(own.seccompProfile?.type === "Unconfined", `${at}.seccompProfile`),
      ...when(own.appArmorProfile?.type === "Unconfined", `${at}.appArmorProfile`),
      ...when(own.windowsOptions?.hostProcess === true, `${at}.windowsOptions`),
      ...when(!plainSeLinux(own.seLinuxOptions ?? {}), `${at}.seLinuxOptions`),
      ...when(
        (own.sysctls ?? []).some(({ name }) => !SYSCTLS.includes(name)),
        `${at}.sysctls`,
      ),
    ]),
    ...when(
      added.some((name) => !ADDED.includes(name)),
      "containerSecurityContext.capabilities.add",
    ),
  ];
}

function restricted(pod: SecuredPod): string[] {
  const own = pod.containerSecurityContext ?? {};
  const shared = pod.securityContext ?? {};
  const seccomp = (own.seccompProfile ?? shared.seccompProfile)?.type;
  const added = own.capabilities?.add ?? [];
  return [
    ...volumesBut(pod, (type) => type === "hostPath" || VOLUMES.includes(type)),
    ...when(own.allowPrivilegeEscalation !== false, "containerSecurityContext.allowPrivilegeEscalation"),
    ...when((own.runAsNonRoot ?? shared.runAsNonRoot) !== true, "podSecurityContext.runAsNonRoot"),
    ...either(pod, (one, at) => when(one.runAsUser === 0, `${at}.runAsUser`)),
    ...when(seccomp === undefined, "podSecurityContext.seccompProfile"),
    ...when(!(own.capabilities?.drop ?? []).includes("ALL"), "containerSecurityContext.capabilities.drop"),
    ...when(
      added.some((name) => name !== "NET_BIND_SERVICE" && ADDED.includes(name)),
      "containerSecurityContext.capabilities.add",
    ),
  ];
}

function volumesBut({ volumes }: SecuredPod, mayBe: (type: string) => boolean): string[] {
  return (volumes ?? []).flatMap((volume) => {
    const type = Object.keys(volume).find((key) => key !== "name") ?? "emptyDir";
    return mayBe(type) ? [] : [`extraVolumes (${String(volume["name"])}: ${type})`];
  });
}

function either(pod: SecuredPod, ask: (context: SecurityContext, at: string) => string[]): string[] {
  return [
    ...ask(pod.securityContext ?? {}, "podSecurityContext"),
    ...ask(pod.containerSecurityContext ?? {}, "containerSecurityContext"),
  ];
}

function plainSeLinux({ user = "", role = "", type = "" }: NonNullable<SecurityContext["seLinuxOptions"]>): boolean {
  return user === "" && role === "" && SELINUX.includes(type);
}

function when(refused: boolean, name: string): string[] {
  return refused ? [name] : [];
}
