// How a BoundEndpoint's conditions follow from its Services, from what a connection came to, and from what each forwarder
// says. Pure.
import { fails, type Finding, findCondition, foldReady, holds as holding } from "#api/conditions.ts";
import type {
  BoundEndpoint,
  BoundEndpointStatus,
  boundEndpointReasons,
  ForwarderReplica,
} from "#api/bound-endpoint.ts";
import { finding } from "../../endpoint/conditions.ts";
import type { Shown } from "../../runtime/define-controller.ts";
import { isServing, type Replicas } from "../../runtime/replica-pods.ts";

type Reason = (typeof boundEndpointReasons)[keyof typeof boundEndpointReasons][number];
const { holds, fails: lacks } = finding<Reason>();

/** What a connection to the endpoint has come to. */
export type Checked = { readonly is: "reached" } | { readonly is: "not reached"; readonly why: string };

/** How far the Services are; refs of those that stand. */
export interface Services {
  readonly refs: Pick<BoundEndpointStatus, "targetServiceRef" | "upstreamServiceRef">;
  /** Why they are not both as wanted, a sentence. */
  readonly problem?: string;
}

export interface Seen {
  readonly services: Services;
  /** Undefined until there is an answer. */
  readonly checked: Checked | undefined;
  /** Of the forwarders; undefined where Pods may not be read. */
  readonly forwarders: Replicas;
  /** A command that shows the forwarders. */
  readonly where: string;
}

export function showBoundEndpoint(endpoint: BoundEndpoint, seen: Seen): Shown<BoundEndpoint> {
  const { refs, problem } = seen.services;
  const created =
    problem === undefined
      ? holds("ServicesCreated", "ServicesCreated", "Target and Upstream services created")
      : lacks("ServicesCreated", "ServiceCreationFailed", problem);
  const connected = problem === undefined ? connectivity(endpoint, seen) : undefined;
  const unknown = lacks("ConnectivityVerified", "ConnectivityNotVerified", "Not connected to the upstream service yet");
  return {
    fields: refs,
    findings: [
      created,
      ...(connected === undefined ? [] : [connected]),
      foldReady([created, connected ?? unknown], { reason: "BoundEndpointReady", message: "BoundEndpoint is ready" }),
    ],
  };
}

/** Undefined when nothing is known: a first answer is still to come. */
function connectivity(endpoint: BoundEndpoint, { checked, forwarders, where }: Seen): Finding | undefined {
  const troubles = troublesOf(endpoint, forwarders);
  if (checked?.is === "not reached" || troubles.length > 0) {
    const dialled = checked?.is === "not reached" ? [`cannot connect: ${checked.why}`] : [];
    const message = `ERR_NGROK_20004: ${[...dialled, ...troubles].join("; ")}; look at the forwarders: ${where}`;
    return lacks("ConnectivityVerified", "ConnectivityFailed", message);
  }
  if (checked !== undefined)
    return holds("ConnectivityVerified", "ConnectivityVerified", "Successfully connected to upstream service");
  // After a restart, and while it is looked at anew, what is shown goes on being true.
  const before = findCondition(endpoint.status?.conditions, "ConnectivityVerified");
  if (before === undefined || before.observedGeneration !== endpoint.metadata.generation) return undefined;
  const say = before.status === "True" ? holding : fails;
  return say("ConnectivityVerified", before.reason, before.message);
}

/** What forwarders that may be serving say is in the way. */
function troublesOf({ status, metadata }: BoundEndpoint, forwarders: Replicas): readonly string[] {
  return (status?.replicas ?? [])
    .filter(({ pod, reason, observedGeneration }) => {
      return isServing(forwarders, pod) && reason !== "Listening" && observedGeneration === metadata.generation;
    })
    .map(({ pod, reason, message }) => `forwarder ${pod}: ${message ?? reason}`);
}

/** The forwarders that listen for the endpoint now, in one order: when they change, a connection may come to something else. */
export function listening({ status }: BoundEndpoint): readonly string[] {
  const isOpen = ({ reason }: ForwarderReplica): boolean => reason === "Listening" || reason === "UpgradeFailed";
  return (status?.replicas ?? [])
    .filter(isOpen)
    .map(({ pod }) => pod)
    .toSorted();
}
