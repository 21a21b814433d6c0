// The version of this product, as logs, the User-Agent and the KubernetesOperator say it.

/** The same as in package.json and as the chart's appVersion; a test holds them together. */
export const VERSION = "0.1.0";
