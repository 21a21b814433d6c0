// Whether the namespace of the release has room for a hook's pod: read from its ResourceQuotas and LimitRanges, since who
// may try it by a dry run may also make pods (docs/decisions/rehearsal.md).
import { allow, type Rule } from "#api/rbac.ts";
import type { Release } from "#api/release.ts";
import {
  LimitRange,
  type LimitRangeItem,
  Namespace,
  ResourceQuota,
  type ResourceQuotaObject,
  type ResourceRequirements,
} from "#kube/kinds.ts";
import { quantityText, thousandths } from "#kube/quantity.ts";
import type { Reader } from "#kube/reader.ts";
import { refusedBy, type SecuredPod } from "./pod-security.ts";

/** What quotas and ranges look at in the pod of a hook. */
export interface HookPod {
  readonly containers: readonly ResourceRequirements[];
  /** "" or undefined: none is named. */
  readonly priorityClassName?: string | undefined;
  /** What a pod security level looks at; undefined where that is known to be well. */
  readonly secured?: SecuredPod;
}

export interface NoRoom {
  /** An object and a resource, and no number that changes by itself. */
  readonly reason: string;
  /** The numbers of now; "" where there are none. */
  readonly now: string;
  readonly remedy: string;
}

export const roomRights: readonly Rule[] = [ResourceQuota, LimitRange].map((kind) =>
  allow(kind, ["list"], { scope: "release", why: "tell before an uninstall that its hooks' pods would be refused" }),
);

type Given = SecuredPod & { readonly resources?: ResourceRequirements | null; readonly priorityClassName?: string };

/**
 * As the chart hands it to the operator's pod: JSON of `resources`, `priorityClassName` and what a SecuredPod has. Undefined for
 * anything else.
 */
export function hookPodOf(text: string | undefined): HookPod | undefined {
  try {
    const given = JSON.parse(text ?? "") as Given | null;
    if (given === null || typeof given !== "object") return undefined;
    const { resources, priorityClassName, ...secured } = given;
    return { containers: [resources ?? {}], priorityClassName, secured };
  } catch {
    return undefined;
  }
}

/** Why one more such pod, with its Job, would be refused there now. Throws KnownError when the server does not say. */
export async function roomFor(
  read: Reader,
  { namespace }: Release,
  pod: HookPod,
  signal: AbortSignal,
): Promise<readonly NoRoom[]> {
  const quotas = [];
  const ranges = [];
  const level = pod.secured && (await read.get(Namespace, { name: namespace }, signal))?.metadata.labels?.[ENFORCE];
  for await (const { items } of read.pages(ResourceQuota, { namespace }, signal)) quotas.push(...items);
  for await (const { items } of read.pages(LimitRange, { namespace }, signal)) {
    for (const { metadata, spec } of items)
      ranges.push(...(spec?.limits ?? []).map((item) => ({ name: metadata.name, item })));
  }
  return [...insecure(namespace, level, pod.secured ?? {}), ...refusalsOf(pod, quotas, ranges)];
}

const ENFORCE = "pod-security.kubernetes.io/enforce";

/** A level that the whole cluster has, and namespaces that it excepts, stand in the API server's own files and are not seen. */
function insecure(namespace: string, level: string | undefined, pod: SecuredPod): NoRoom[] {
  const refused = refusedBy(level, pod);
  if (refused.length === 0) return [];
  return [
    {
      reason: `the label ${ENFORCE}=${level} of namespace ${namespace} refuses ${refused.join(", ")}`,
      now: "",
      remedy: "take that out of the values and upgrade, or lower the level for the time of the uninstall",
    },
  ];
}

interface Range {
  readonly name: string;
  readonly item: LimitRangeItem;
}

/** Pure. */
export function refusalsOf(
  pod: HookPod,
  quotas: readonly ResourceQuotaObject[],
  ranges: readonly Range[],
): readonly NoRoom[] {
  const containers = pod.containers.map((one) => filled(one, ranges));
  return [
    ...ranges.flatMap(({ name, item }) => outOf(name, item, containers)),
    ...quotas.filter((quota) => applies(quota, pod, containers)).flatMap((quota) => exceeded(quota, containers)),
  ];
}

/** In thousandths, by the resource's name. */
type Amounts = ReadonlyMap<string, number>;
interface Wants {
  readonly requests: Amounts;
  readonly limits: Amounts;
}

/** As the API server fills in what a container leaves open: a request from its limit, then both from LimitRanges. */
function filled({ requests, limits }: ResourceRequirements, ranges: readonly Range[]): Wants {
  const items = ranges.map(({ item }) => item).filter(({ type }) => type === "Container");
  const merged = (given: readonly (ResourceRequirements["limits"] | null)[]): Amounts =>
    new Map(given.toReversed().flatMap((one) => [...amounts(one)]));
  return {
    requests: merged([requests, limits, ...items.map((item) => item.defaultRequest)]),
    limits: merged([limits, ...items.map((item) => item.default)]),
  };
}

function amounts(given: ResourceRequirements["limits"] | null): Amounts {
  const known = Object.entries(given ?? {}).flatMap(([name, quantity]) => {
    const amount = thousandths(quantity);
    return amount === undefined ? [] : [[name, amount] as const];
  });
  return new Map(known);
}

/** The sum; undefined where one of the containers does not say it. */
function total(containers: readonly Wants[], part: keyof Wants, resource: string): number | undefined {
  let sum = 0;
  for (const container of containers) {
    const amount = container[part].get(resource);
    if (amount === undefined) return undefined;
    sum += amount;
  }
  return sum;
}

const MUST_BE_SAID = /^(?:(?:requests|limits)\.)?(?:cpu|memory)$/;
/** The Jobs of both hooks are there at the end. */
const COUNTS: Readonly<Record<string, number>> = { pods: 1, "count/pods": 1, "count/jobs.batch": 2 };

function exceeded({ metadata, spec, status }: ResourceQuotaObject, containers: readonly Wants[]): NoRoom[] {
  const hard = amounts(status?.hard ?? spec?.hard);
  const used = amounts(status?.used);
  return [...hard].flatMap(([name, limit]): NoRoom[] => {
    const needed = neededOf(name, containers);
    if (needed === undefined) {
      if (!MUST_BE_SAID.test(name)) return [];
      const field = /^(?:requests|limits)\./.test(name) ? name : `requests.${name}`;
      return [
        {
          reason: `ResourceQuota ${metadata.name} takes no pod that does not say its ${field}`,
          now: "",
          remedy: `set cleanupHook.resources.${field}`,
        },
      ];
    }
    const left = limit - (used.get(name) ?? 0);
    if (needed === 0 || needed <= left) return [];
    return [
      {
        reason: `ResourceQuota ${metadata.name} has less ${name} left than the ${quantityText(needed)} needed`,
        now: `${quantityText(Math.max(0, left))} of ${quantityText(limit)} left`,
        remedy: `raise that quota, or free as much in the namespace${name in COUNTS ? "" : ", or lower cleanupHook.resources"}`,
      },
    ];
  });
}

/** Undefined where a container does not say it. */
function neededOf(name: string, containers: readonly Wants[]): number | undefined {
  const count = COUNTS[name];
  if (count !== undefined) return count * 1000;
  const [, part = "requests", resource = ""] = /^(?:(requests|limits)\.)?([^/]*(?:\/.*)?)$/.exec(name) ?? [];
  return total(containers, part === "limits" ? "limits" : "requests", resource);
}

/** Whether a quota with scopes counts this pod, which has no deadline of its own and asks for no other namespace's pods. */
function applies({ spec }: ResourceQuotaObject, pod: HookPod, containers: readonly Wants[]): boolean {
  const expressions = [
    ...(spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: "Exists", values: [] as string[] })),
    ...(spec?.scopeSelector?.matchExpressions ?? []),
  ];
  const bestEffort = containers.every(({ requests, limits }) =>
    ["cpu", "memory"].every((name) => !requests.get(name) && !limits.get(name)),
  );
  return expressions.every(({ scopeName, operator, values = [] }) => {
    switch (scopeName) {
      case "NotTerminating":
        return true;
      case "BestEffort":
        return bestEffort;
      case "NotBestEffort":
        return !bestEffort;
      case "PriorityClass":
        return ofPriority(pod.priorityClassName ?? "", operator, values);
      default:
        return false;
    }
  });
}

/** A class that the cluster gives to pods without one is not known here: a quota for it is left out. */
function ofPriority(name: string, operator: string, values: readonly string[]): boolean {
  if (name === "") return false;
  switch (operator) {
    case "In":
      return values.includes(name);
    case "NotIn":
      return !values.includes(name);
    case "Exists":
      return true;
    default:
      return false;
  }
}

function outOf(name: string, item: LimitRangeItem, containers: readonly Wants[]): NoRoom[] {
  const each = item.type === "Container" ? containers.map((one) => [one]) : [containers];
  if (item.type !== "Container" && item.type !== "Pod") return [];
  const said = (bound: "min" | "max", resource: string, amount: number): NoRoom => ({
    reason: `LimitRange ${name} takes ${bound === "max" ? "at most" : "at least"} ${quantityText(amount)} of ${resource} a ${item.type}`,
    now: "",
    remedy: `set cleanupHook.resources.requests.${resource} and limits.${resource} within that`,
  });
  return each.flatMap((one) => [
    ...[...amounts(item.max)].flatMap(([resource, most]) => {
      const [request, limit] = [total(one, "requests", resource), total(one, "limits", resource)];
      return limit === undefined || limit > most || (request ?? 0) > most ? [said("max", resource, most)] : [];
    }),
    ...[...amounts(item.min)].flatMap(([resource, least]) => {
      const [request, limit] = [total(one, "requests", resource), total(one, "limits", resource)];
      return request === undefined || request < least || (limit ?? least) < least ? [said("min", resource, least)] : [];
    }),
    ...[...amounts(item.maxLimitRequestRatio)].flatMap(([resource, most]): NoRoom[] => {
      const [request, limit] = [total(one, "requests", resource), total(one, "limits", resource)];
      if (request && limit !== undefined && limit / request <= most / 1000) return [];
      return [
        {
          reason: `LimitRange ${name} takes a limit of at most ${quantityText(most)} times the request of ${resource} a ${item.type}`,
          now: "",
          remedy: `set cleanupHook.resources.requests.${resource} and limits.${resource} within that`,
        },
      ];
    }),
  ]);
}
