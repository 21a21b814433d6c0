// Who held the Lease when, read from the audit log: that an election never had two winners, and that only the winner wrote.
import { type AuditEvent, podOf, said, writes } from "./audit.ts";

/** How long a holder that says nothing keeps the Lease. */
const DURATION_MS = 15_000;

export interface HandOver {
  /** holderIdentity of the new one. */
  readonly to: string;
  /** Whether the old one had freed it, or had said nothing for as long as the Lease lasts. */
  readonly waited: boolean;
}

/** The holders in their order, each once for as long as it held; the first has taken it from nobody known. */
export function handOvers(events: readonly AuditEvent[], lease: string): HandOver[] {
  const found: HandOver[] = [];
  let last: { readonly holder: string; readonly at: number } | undefined;
  for (const event of writes(events)) {
    const holder = holderIn(event, lease);
    if (holder === undefined) continue;
    const at = Date.parse(event.requestReceivedTimestamp);
    const isNew = holder !== "" && found.at(-1)?.to !== holder;
    if (isNew) found.push({ to: holder, waited: !last || last.holder === "" || at - last.at >= DURATION_MS });
    last = { holder, at };
  }
  return found;
}

/** What pods of this name changed of our own kinds while another, or nobody, held the Lease; for people. */
export function writesWithoutLease(events: readonly AuditEvent[], lease: string, pods: string): string[] {
  let current = "";
  return writes(events).flatMap((event) => {
    current = holderIn(event, lease) ?? current;
    const pod = podOf(event);
    const isOurs = pod?.startsWith(pods) === true && /(^|\.)k8s\.ngrok\.com$/.test(event.objectRef?.apiGroup ?? "");
    return isOurs && current.split("/")[1] !== pod ? [`${said(event)} while "${current}" held the Lease`] : [];
  });
}

function holderIn({ objectRef, requestObject }: AuditEvent, lease: string): string | undefined {
  if (objectRef?.resource !== "leases" || objectRef.name !== lease) return undefined;
  return (requestObject as { spec?: { holderIdentity?: string } } | undefined)?.spec?.holderIdentity ?? "";
}
