// What a driver may do, whoever it is: the rights of all twelve kinds whatever features are on, since a feature that was
// switched off last week has left its finalizers.
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { BoundEndpoint } from "#api/bound-endpoint.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { IPPolicy } from "#api/ip-policy.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { allow, type Rule } from "#api/rbac.ts";
import { reportPieces } from "#api/release.ts";
import {
  ConfigMap,
  Event,
  Gateway,
  GatewayClass,
  HTTPRoute,
  Ingress,
  Lease,
  Pod,
  Service,
  TCPRoute,
  TLSRoute,
} from "#kube/kinds.ts";

const userKinds = [HTTPRoute, TCPRoute, TLSRoute, Ingress, Gateway];
const ourKinds = [CloudEndpoint, AgentEndpoint, Domain, IPPolicy, BoundEndpoint];

/** The drain itself: find, free, delete. */
export const drainRights: readonly Rule[] = [
  ...userKinds.map((kind) =>
    allow(kind, ["get", "list", "patch"], { why: "find the objects that carry our finalizer and take it off" }),
  ),
  allow(Service, ["get", "list", "patch", "delete"], {
    why: "take our finalizer off LoadBalancer Services; delete the Services that were made for BoundEndpoints",
  }),
  ...ourKinds.map((kind) =>
    allow(kind, ["get", "list", "patch", "delete"], {
      why: "take our finalizer off; under Delete the objects go as well",
    }),
  ),
  allow(BoundEndpoint, ["get", "list", "patch", "delete"], {
    scope: "release",
    why: "endpoint bindings live in the release namespace, whatever namespace is watched",
  }),
  allow(Service, ["get", "delete"], {
    scope: "release",
    why: "delete the Services that were made for BoundEndpoints of the release namespace",
  }),
  ...[...userKinds, Service, ...ourKinds].map((kind) =>
    allow(kind, ["list"], {
      scope: "cluster",
      why: "find what an earlier ingress.watchNamespace left in other namespaces",
    }),
  ),
  allow(KubernetesOperator, ["list"], {
    scope: "cluster",
    why: "see whether another install may own an object without a stamp",
  }),
  allow(GatewayClass, ["get", "list", "patch"], {
    scope: "cluster",
    why: "take the finalizer off GatewayClasses of our controller",
  }),
  allow(KubernetesOperator, ["get", "patch", "delete"], {
    scope: "release",
    why: "the KubernetesOperator goes last",
  }),
  allow(KubernetesOperator, ["patch"], { scope: "release", part: "status", why: "show the drain in its status" }),
  allow(Event, ["create", "patch"], {
    scope: "release",
    why: "DrainStarted and DrainCompleted on the KubernetesOperator",
  }),
  allow(ConfigMap, ["get"], { scope: "release", named: "drainState", why: "read which drain this is" }),
  allow(ConfigMap, ["create"], {
    scope: "release",
    why: "write the report of what was kept; bring back a deleted drain state, marked",
  }),
  allow(ConfigMap, ["get", "patch"], {
    scope: "release",
    named: reportPieces,
    why: "go on with the report of an earlier run",
  }),
];

/** Who drains under a mark: hook, leader and CLI, not the cleanup after the uninstall. */
export const markRights: readonly Rule[] = [
  allow(ConfigMap, ["get", "patch"], {
    scope: "release",
    named: "drainState",
    why: "mark the drain state, and read what a person relaxed",
  }),
  allow(ConfigMap, ["delete"], {
    scope: "release",
    named: reportPieces,
    why: "take away the report of an earlier install",
  }),
];

/**
 * Of the hooks alone, which live for one uninstall: what an earlier ingress.watchNamespace left is freed where it is, so
 * that nobody has to change the values back in the middle of an uninstall.
 */
export const driftRights: readonly Rule[] = [
  ...userKinds.map((kind) =>
    allow(kind, ["get", "patch"], { scope: "cluster", why: "free what an earlier ingress.watchNamespace left" }),
  ),
  allow(Service, ["get", "patch", "delete"], {
    scope: "cluster",
    why: "free what an earlier ingress.watchNamespace left; delete the Services that were made for BoundEndpoints",
  }),
  ...ourKinds.map((kind) =>
    allow(kind, ["get", "patch", "delete"], {
      scope: "cluster",
      why: "free what an earlier ingress.watchNamespace left; under Delete the objects go as well",
    }),
  ),
];

/** Taking the write token from whoever holds it. */
export const takeoverRights: readonly Rule[] = [
  ...markRights,
  allow(Lease, ["create"], { scope: "release", why: "the write token, where the operator never ran" }),
  allow(Lease, ["get", "watch", "update"], {
    scope: "release",
    named: "lease",
    why: "take the write token and renew it",
  }),
  allow(Pod, ["get", "list", "delete"], {
    scope: "release",
    why: "a holder that neither yields nor renews is deleted, so that its token is refused",
  }),
];
