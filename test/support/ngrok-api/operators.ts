// /kubernetes_operators: registrations, their binding certificate and the endpoints bound to them.
import { description, listOf, metadata, objectOf, readFields, required, text, type Fields } from "./body.ts";
import type { Collection, Remote } from "./collection.ts";
import { invalidOperator, wrongField } from "./errors.ts";
import { newId, timestamp } from "./ids.ts";
import { resourceOf, type Resource } from "./resource.ts";

interface Certificate {
  readonly cert: string;
  readonly not_before: string;
  readonly not_after: string;
}

interface Binding {
  endpoint_selectors: string[];
  cert: Certificate | null;
  ingress_endpoint: string;
}

interface Operator extends Remote {
  readonly created_at: string;
  updated_at: string;
  description: string;
  metadata: string;
  readonly principal: { id: string; uri: string };
  enabled_features: string[];
  region: string;
  readonly deployment: { name: string; namespace: string; version: string; cluster_name: string };
  binding: Binding | null;
}

/** Signs a certificate request in PEM. Throws when it is not one. */
export type Issue = (csr: string) => Promise<{ pem: string; notBefore: Date; notAfter: Date }>;

export interface OperatorSettings {
  readonly principalId: string;
  /** `host:port` at which forwarders reach bound endpoints. */
  readonly ingressEndpoint: string;
  readonly issue: Issue;
}

const bindingShape = { endpoint_selectors: listOf(text), csr: text, ingress_endpoint: text };
const shared = { description, metadata, enabled_features: listOf(text), region: text, binding: objectOf(bindingShape) };
const changeable = { ...shared, deployment: objectOf({ name: text, version: text, cluster_name: text }) };
const deployment = objectOf({ name: text, namespace: text, version: text, cluster_name: text });
const creatable = { ...shared, deployment };

const features = new Set(["ingress", "gateway", "bindings"]);

export function kubernetesOperators(bound: Collection<Remote>, settings: OperatorSettings): Resource {
  /** The request that each certificate answers: the same request again keeps its certificate. */
  const requests = new WeakMap<Operator, string>();

  async function bind(operator: Operator | undefined, given: Fields<typeof bindingShape>) {
    const before = operator?.binding;
    const unchanged = given.csr === undefined || (operator && requests.get(operator) === given.csr);
    const cert = unchanged ? (before?.cert ?? null) : await sign(settings.issue, given.csr);
    return {
      endpoint_selectors: given.endpoint_selectors ?? before?.endpoint_selectors ?? [],
      cert,
      ingress_endpoint: given.ingress_endpoint ?? before?.ingress_endpoint ?? settings.ingressEndpoint,
    };
  }

  const boundEndpoints = resourceOf({ name: "bound_endpoints", listField: "endpoints", title: "Endpoint" }, bound);
  const nothingBound = resourceOf({ name: "bound_endpoints", listField: "endpoints", title: "Endpoint" });

  return resourceOf<Operator>({
    name: "kubernetes_operators",
    listField: "operators",
    title: "Kubernetes Operator",
    async create(body, base) {
      const fields = readFields(body, creatable);
      checkFeatures(fields.enabled_features);
      const operator = newOperator(base, settings.principalId, fields);
      if (fields.binding) {
        operator.binding = await bind(undefined, fields.binding);
        if (fields.binding.csr !== undefined) requests.set(operator, fields.binding.csr);
      }
      return operator;
    },
    async update(operator, body) {
      const fields = readFields(body, changeable);
      checkFeatures(fields.enabled_features);
      if (fields.binding) {
        operator.binding = await bind(operator, fields.binding);
        if (fields.binding.csr !== undefined) requests.set(operator, fields.binding.csr);
      }
      operator.description = fields.description ?? operator.description;
      operator.metadata = fields.metadata ?? operator.metadata;
      operator.enabled_features = fields.enabled_features ?? operator.enabled_features;
      operator.region = fields.region ?? operator.region;
      operator.deployment.name = fields.deployment?.name ?? operator.deployment.name;
      operator.deployment.version = fields.deployment?.version ?? operator.deployment.version;
      operator.updated_at = timestamp();
    },
    removed: () => undefined,
    below(operator, name) {
      if (name !== "bound_endpoints") return undefined;
      // Selectors are CEL; this measure knows `true` only, and shows everything to any other.
      return operator.binding && operator.binding.endpoint_selectors.length > 0 ? boundEndpoints : nothingBound;
    },
  });
}

function newOperator(base: string, principalId: string, fields: Fields<typeof creatable>): Operator {
  const id = newId("k8sop");
  const now = timestamp();
  const at = fields.deployment;
  return {
    id,
    uri: `${base}/kubernetes_operators/${id}`,
    created_at: now,
    updated_at: now,
    description: fields.description ?? "",
    metadata: fields.metadata ?? "",
    principal: { id: principalId, uri: `${base}/users/${principalId}` },
    enabled_features: fields.enabled_features ?? [],
    region: fields.region ?? "global",
    deployment: {
      name: required(at?.name, "deployment.name"),
      namespace: required(at?.namespace, "deployment.namespace"),
      version: at?.version ?? "",
      cluster_name: at?.cluster_name ?? "",
    },
    binding: null,
  };
}

function checkFeatures(given: readonly string[] | undefined): void {
  for (const feature of given ?? []) {
    if (!features.has(feature.toLowerCase())) throw wrongField("enabled_features", `'${feature}' is not a feature`);
  }
}

async function sign(issue: Issue, csr: string | undefined): Promise<Certificate | null> {
  if (csr === undefined) return null;
  try {
    const { pem, notBefore, notAfter } = await issue(csr);
    return { cert: pem, not_before: timestamp(notBefore), not_after: timestamp(notAfter) };
  } catch {
    throw invalidOperator("binding.csr is not a signed PEM certificate request");
  }
}
