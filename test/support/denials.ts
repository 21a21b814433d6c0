// The requests that RBAC refused to the accounts of a release, from the API server's audit log: a program that asks for what
// it may not have is wrong about its rights. What is refused after Helm or a person took the rights away is no finding.
import type { AuditEvent } from "./audit.ts";
import { accountOf, isDenied } from "./rights.ts";

const HOOKS = ["drain", "cleanup", "rehearsal"] as const;
type Part = (typeof HOOKS)[number] | "manager";

const RIGHTS = ["roles", "rolebindings", "clusterroles", "clusterrolebindings", "serviceaccounts"];

/** In the order of the log. Only accounts whose name has `fullname` in front are looked at. */
export function denials(events: readonly AuditEvent[], fullname: string): AuditEvent[] {
  const taken = new Map<string, Part>();
  const sizes = new Map<string, number>();
  const gone = new Set<string>();
  return events.filter((event) => {
    const { verb, objectRef, responseStatus } = event;
    const { resource = "", namespace = "", name = "" } = objectRef ?? {};
    if ((responseStatus?.code ?? 500) < 300 && RIGHTS.includes(resource) && name.startsWith(fullname)) {
      const key = `${resource} ${namespace}/${name}`;
      const rules = rulesIn(event) ?? sizes.get(key) ?? 0;
      const isLess = verb === "delete" || rules < (sizes.get(key) ?? 0);
      if (isLess) taken.set(key, partOf(name));
      else if (verb === "create" || rules > (sizes.get(key) ?? 0)) taken.delete(key);
      sizes.set(key, verb === "delete" ? 0 : rules);
    }
    if (resource === "namespaces" && verb === "delete") gone.add(name);
    const [at = "", account = ""] = accountOf(event)?.split("/") ?? [];
    if (!account.startsWith(fullname) || !isDenied(event)) return false;
    return !gone.has(at) && !gone.has(namespace) && ![...taken.values()].includes(partOf(account));
  });
}

/** How many rules a role is given by this change; a rollback to another chart may leave it with fewer. */
function rulesIn({ requestObject }: AuditEvent): number | undefined {
  return (requestObject as { rules?: readonly unknown[] } | undefined)?.rules?.length;
}

/** Whose rights an object of this name is, or whose account. */
function partOf(name: string): Part {
  return HOOKS.find((hook) => new RegExp(`-${hook}(-|$)`).test(name)) ?? "manager";
}
