// The twelve kinds that a drain goes through, as rows: whose they are, in which wave, and what becomes of each under
// either policy. The KubernetesOperator is not among them: it is the last step of drive.ts.
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { BoundEndpoint } from "#api/bound-endpoint.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { IPPolicy } from "#api/ip-policy.ts";
import type { DrainPolicy } from "#api/schema.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import { Gateway, GatewayClass, HTTPRoute, Ingress, Service, TCPRoute, TLSRoute } from "#kube/kinds.ts";
import type { Undo } from "./hands.ts";
import { undoBoundEndpoint } from "./undo/bound-endpoint.ts";
import { undoCloudEndpoint } from "./undo/cloud-endpoint.ts";
import { undoDomain } from "./undo/domain.ts";
import { undoIPPolicy } from "./undo/ip-policy.ts";
import { addressOf, undoService } from "./undo/service.ts";

export interface Row {
  readonly kind: Kind;
  /** user: only our finalizer and stamp go, whatever the policy. ours: the policy decides. */
  readonly whose: "user" | "ours";
  /** Waves run one after another: what uses a thing goes before the thing. */
  readonly wave: number;
  /** What we made for one object is unmade, under Delete only. */
  readonly undo?: Undo;
  /** Unmaking asks the cluster alone, so that it goes on where ngrok has refused the key. */
  readonly undoneHere?: true;
  /** By what a report names what stays at ngrok; without it the id in the object's status. */
  readonly namedAtNgrok?: (object: KubeObject) => string | undefined;
  /** For people: what becomes of the object. */
  readonly fate: Readonly<Record<DrainPolicy, string>>;
}

const freed = { Retain: "stays, finalizer off", Delete: "stays, finalizer off" } as const;

export const rows: readonly Row[] = [
  { kind: HTTPRoute, whose: "user", wave: 0, fate: freed },
  { kind: TCPRoute, whose: "user", wave: 0, fate: freed },
  { kind: TLSRoute, whose: "user", wave: 0, fate: freed },
  { kind: Ingress, whose: "user", wave: 0, fate: freed },
  { kind: Gateway, whose: "user", wave: 0, fate: freed },
  { kind: GatewayClass, whose: "user", wave: 0, fate: freed },
  {
    kind: CloudEndpoint,
    whose: "ours",
    wave: 1,
    undo: undoCloudEndpoint,
    fate: { Retain: "stays, endpoint stays", Delete: "deleted, endpoint deleted" },
  },
  // A tunnel dies with its agent: at ngrok there is nothing to unmake.
  {
    kind: AgentEndpoint,
    whose: "ours",
    wave: 1,
    fate: { Retain: "stays, tunnel ends", Delete: "deleted, tunnel ends" },
  },
  {
    kind: Domain,
    whose: "ours",
    wave: 2,
    undo: undoDomain,
    fate: { Retain: "stays, domain stays", Delete: "deleted, domain released unless its reclaimPolicy is Retain" },
  },
  {
    kind: IPPolicy,
    whose: "ours",
    wave: 2,
    undo: undoIPPolicy,
    fate: { Retain: "stays, policy stays", Delete: "deleted, policy deleted" },
  },
  {
    kind: BoundEndpoint,
    whose: "ours",
    wave: 2,
    undo: undoBoundEndpoint,
    undoneHere: true,
    fate: { Retain: "stays, Services stay", Delete: "deleted with its Services" },
  },
  // After the endpoints, since a reserved address is released only when nothing listens on it.
  {
    kind: Service,
    whose: "user",
    wave: 3,
    undo: undoService,
    namedAtNgrok: addressOf,
    fate: {
      Retain: "stays, finalizer off, reserved address stays",
      Delete: "stays, finalizer off, reserved address released",
    },
  },
];

export const waves: readonly (readonly Row[])[] = [...new Set(rows.map((row) => row.wave))]
  .sort((a, b) => a - b)
  .map((wave) => rows.filter((row) => row.wave === wave));
