// What the KubernetesOperator says of this install, what is registered at ngrok for it, and how that reads in its
// status. Pure.
import { GATEWAY_CONTROLLER } from "#api/classes.ts";
import { type Finding, isTrue } from "#api/conditions.ts";
import { GATEWAY_CONTROLLER_NAME } from "#api/keys.ts";
import {
  BINDING_SECRET,
  KubernetesOperator,
  type KubernetesOperatorReason,
  type KubernetesOperatorSpec,
} from "#api/kubernetes-operator.ts";
import { isTooDeep, TOO_DEEP } from "#api/nesting.ts";
import type { Release } from "#api/release.ts";
import type { ObjectMeta } from "#kube/kind.ts";
import { pointerStep } from "#kube/paths.ts";
import type { JsonPatchOperation } from "#kube/writer.ts";
import type { Change } from "#ngrok/change.ts";
import { metadataText, operatorMetadata } from "#ngrok/metadata.ts";
import type { OperatorBody, OperatorPatch, RemoteOperator } from "#ngrok/operators.ts";
import { failureText, finding } from "../../endpoint/conditions.ts";
import { missing, sameJson } from "../../endpoint/difference.ts";
import type { Shown } from "../../runtime/define-controller.ts";
import type { Options } from "../../runtime/options.ts";
import { jsonObject } from "../../translate/annotations.ts";

const { holds, fails } = finding<KubernetesOperatorReason>();

export type OperatorChange = Change<RemoteOperator, OperatorBody, OperatorPatch>;

/** The fields of the spec that are ours; the rest keeps what it has. */
export function desiredSpec(release: Release, options: Options): KubernetesOperatorSpec {
  const { endpointSelectors, ingressEndpoint } = options.bindings;
  const ingress = ingressEndpoint === "" ? {} : { ingressEndpoint };
  return {
    description: options.description,
    deployment: { name: release.name, namespace: release.namespace, version: options.version },
    region: options.region === "" ? "global" : options.region,
    drain: { policy: options.drainPolicy },
    enabledFeatures: [...options.features],
    ...(options.features.includes("bindings")
      ? { binding: { endpointSelectors: [...endpointSelectors], tlsSecretName: BINDING_SECRET, ...ingress } }
      : {}),
  };
}

export function newOperator(release: Release, options: Options): KubernetesOperator {
  return {
    apiVersion: `${KubernetesOperator.group}/${KubernetesOperator.versions[0]}`,
    kind: KubernetesOperator.kind,
    metadata: { name: release.name, namespace: release.namespace, ...annotated(options) },
    spec: desiredSpec(release, options),
  };
}

/** Undefined where it stands in manifests, which others apply. */
export function operatorToMake(release: Release, options: Options): KubernetesOperator | undefined {
  return options.operatorIsGiven === true ? undefined : newOperator(release, options);
}

/** JSON patch operations for all that is ours in it: nothing where it stands in manifests, since two that write one spec would do so for ever. */
export function planOwn(
  { metadata, spec }: Pick<KubernetesOperator, "metadata" | "spec">,
  release: Release,
  options: Options,
): readonly JsonPatchOperation[] {
  if (options.operatorIsGiven === true) return [];
  return [...planAnnotation(metadata, options), ...planSpec(spec, desiredSpec(release, options))];
}

function annotated({ routing }: Options): Pick<ObjectMeta, "annotations"> {
  const name = routing?.gatewayControllerName ?? GATEWAY_CONTROLLER;
  return name === GATEWAY_CONTROLLER ? {} : { annotations: { [GATEWAY_CONTROLLER_NAME]: name } };
}

/** JSON patch operations after which other installs can read whose GatewayClasses are served here. */
export function planAnnotation({ annotations }: ObjectMeta, options: Options): readonly JsonPatchOperation[] {
  const path = "/metadata/annotations";
  const wanted = annotated(options).annotations;
  if (wanted !== undefined || annotations?.[GATEWAY_CONTROLLER_NAME] === undefined)
    return missing(path, wanted, annotations);
  return [{ op: "remove", path: `${path}/${pointerStep(GATEWAY_CONTROLLER_NAME)}` }];
}

/** JSON patch operations for the fields of ours that differ; none when the spec is as it should be. */
export function planSpec(spec: KubernetesOperatorSpec, desired: KubernetesOperatorSpec): readonly JsonPatchOperation[] {
  const operations: JsonPatchOperation[] = [];
  for (const [field, value] of Object.entries(desired)) {
    const path = `/spec/${field}`;
    if (!sameJson(spec[field as keyof KubernetesOperatorSpec], value)) operations.push({ op: "add", path, value });
  }
  if (desired.binding === undefined && spec.binding !== undefined)
    operations.push({ op: "remove", path: "/spec/binding" });
  return operations;
}

export function hasBindings(spec: KubernetesOperatorSpec): boolean {
  return spec.enabledFeatures?.includes("bindings") === true;
}

const NO_BINDING = "bindings feature enabled but spec.binding is not configured";

/**
 * Why the spec cannot be registered as it stands, for whoever wrote it; undefined where it can. Metadata that nobody can walk
 * through may be refused here: what unmakes a registration asks for its id alone.
 */
export function problemIn(spec: KubernetesOperatorSpec): string | undefined {
  if (hasBindings(spec) && spec.binding === undefined) return NO_BINDING;
  const { metadata } = spec;
  // Text as well is taken apart, to write the UID of the namespace into it.
  const fields = typeof metadata === "string" ? jsonObject(metadata) : metadata;
  return isTooDeep(fields) ? `spec.metadata ${TOO_DEEP}` : undefined;
}

/** @param namespaceUid of the release namespace; undefined when it may not be read: then the metadata goes as it is. */
export function desiredOperator(
  operator: KubernetesOperator,
  namespaceUid: string | undefined,
  csr: string | undefined,
): OperatorBody {
  const { spec, metadata } = operator;
  const deployment = {
    name: spec.deployment?.name ?? metadata.name,
    namespace: metadata.namespace ?? "",
    version: spec.deployment?.version ?? "",
  };
  return {
    description: spec.description ?? "",
    metadata: namespaceUid === undefined ? metadataText(spec.metadata) : operatorMetadata(spec.metadata, namespaceUid),
    enabledFeatures: spec.enabledFeatures ?? [],
    region: spec.region ?? "global",
    deployment,
    ...(spec.binding === undefined || !hasBindings(spec)
      ? {}
      : { binding: { endpointSelectors: spec.binding.endpointSelectors, ...(csr === undefined ? {} : { csr }) } }),
  };
}

/** A csr is in `desired` only when a certificate is wanted for it. */
export function planOperator(desired: OperatorBody, remote: RemoteOperator | undefined): OperatorChange {
  if (remote === undefined) return { is: "create", body: desired };
  const { name, version } = desired.deployment;
  const binding = desired.binding;
  const sameBinding =
    binding === undefined ||
    (binding.csr === undefined && sameJson(binding.endpointSelectors, remote.binding?.endpointSelectors ?? []));
  const patch: OperatorPatch = {
    ...(desired.description === remote.description ? {} : { description: desired.description }),
    ...(desired.metadata === remote.metadata ? {} : { metadata: desired.metadata }),
    ...(sameJson([...(desired.enabledFeatures ?? [])].sort(), [...remote.enabledFeatures].sort())
      ? {}
      : { enabledFeatures: desired.enabledFeatures }),
    ...(desired.region === remote.region ? {} : { region: desired.region }),
    ...(name === remote.deployment.name && version === remote.deployment.version
      ? {}
      : { deployment: { name, version } }),
    ...(sameBinding ? {} : { binding }),
  };
  return Object.keys(patch).length === 0 ? { is: "none", remote } : { is: "update", id: remote.id, patch };
}

/** How long before its end a certificate is renewed; of a short-lived one the last third, so that it is not renewed for ever. */
const RENEW_BEFORE_MS = 30 * 86_400_000;

/** Milliseconds until the certificate is to be renewed, 0 when it is due, undefined when nothing is known of its end. */
export function renewIn(
  cert: { notBefore?: string | undefined; notAfter?: string | undefined } | undefined,
  now: Date,
): number | undefined {
  const end = Date.parse(cert?.notAfter ?? "");
  if (Number.isNaN(end)) return undefined;
  const life = end - Date.parse(cert?.notBefore ?? "");
  const before = Number.isNaN(life) ? RENEW_BEFORE_MS : Math.min(RENEW_BEFORE_MS, life / 3);
  return Math.max(0, end - before - now.getTime());
}

/** How long forwarders may have to do with a certificate, or a registration, that somebody took away. */
const LOOK_AGAIN_MS = 600_000;

/**
 * Milliseconds until the certificate is looked at again, once it was renewed if it was due. One that is due all the same (its
 * authority ends soon, our wall clock is ahead) waits too, and one that is due soon a third of what is left of it: else it
 * would be renewed each second, for ever.
 */
export function lookAgainIn(cert: Parameters<typeof renewIn>[0], now: Date): number {
  const renewal = renewIn(cert, now) ?? 0;
  if (renewal === 0) return LOOK_AGAIN_MS;
  const left = Date.parse(cert?.notAfter ?? "") - now.getTime();
  return Math.min(LOOK_AGAIN_MS, Math.max(left / 3, renewal + 1000));
}

/** What a reconcile has come to. */
export type Reached =
  | { readonly is: "registered"; readonly remote: RemoteOperator }
  /** `isAbsent`: ngrok does not have what was recorded. */
  | { readonly is: "failed"; readonly error: unknown; readonly isAbsent: boolean }
  | { readonly is: "misconfigured"; readonly problem: string };

export function showOperator(
  { status }: Pick<KubernetesOperator, "status">,
  reached: Reached,
): Shown<KubernetesOperator> {
  if (reached.is === "registered") {
    const { id, uri, enabledFeatures, binding } = reached.remote;
    const ingress = binding?.ingressEndpoint;
    return {
      fields: {
        id,
        uri,
        enabledFeatures: enabledFeatures.join(","),
        ...(ingress === undefined ? {} : { bindingsIngressEndpoint: ingress }),
      },
      findings: [registered, holds("Ready", "Registered", "KubernetesOperator is registered and ready")],
    };
  }
  const { conditions, observedGeneration: _, drain: __, ...fields } = status ?? {};
  const { id: ___, uri: ____, ...unregistered } = fields;
  const isAbsent = reached.is === "failed" && reached.isAbsent;
  return {
    fields: isAbsent ? unregistered : fields,
    findings: failures(reached, !isAbsent && isTrue(conditions, "Registered")),
  };
}

const registered = holds("Registered", "Registered", "Registered with the ngrok API");

function failures(reached: Exclude<Reached, { is: "registered" }>, wasRegistered: boolean): readonly Finding[] {
  const message = reached.is === "failed" ? failureText(reached.error) : reached.problem;
  const pending = fails("Registered", "Pending", "Waiting to be registered with the ngrok API");
  if (reached.is === "misconfigured") {
    return [wasRegistered ? registered : pending, fails("Ready", "ConfigurationFailed", message)];
  }
  if (wasRegistered) return [registered, fails("Ready", "ConfigurationFailed", message)];
  return [fails("Registered", "RegistrationFailed", message), fails("Ready", "RegistrationFailed", message)];
}
