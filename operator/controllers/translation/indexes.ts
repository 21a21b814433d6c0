// What the indexes of the translation are called; sources.ts says what stands in them.

/** Names of the indexes over Ingresses; those over Gateways and routes are in translate/gateway/links.ts. */
export const BY_HOST = "translation-host";
export const BY_SERVICE = "translation-service";
export const BY_POLICY = "translation-policy";
export const BY_CLASS = "translation-class";
export const BY_FALLBACK = "translation-fallback";
/** The hosts of a Service's Ingresses, as the translator comes to them. */
export const HOSTS_IN_ORDER = "translation-hosts";
/** The hosts of Gateways that send to a Service, as the translator comes to them. */
export const SERVED_IN_ORDER = "translation-served";
/** Over Ingresses and Gateways, by the names that their CloudEndpoints ask for. */
export const BY_NAME = "translation-name";
/** Over AgentEndpoints. */
export const ENDPOINTS_BY_SERVICE = "translation-service";
