// The kinds of the Prometheus operator that the chart can make, as its Go module has them: taken out once, nothing is built.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { alone, cacheFolder, madeOnce, type Tell } from "./cache.ts";
import { takeFromModule } from "./module-files.ts";

/** The newest one that Go's proxy has under this path. */
const PROMETHEUS_OPERATOR = "v0.85.0";
const KINDS = ["podmonitors", "servicemonitors", "prometheusrules"] as const;

/** Paths of the CustomResourceDefinitions of PodMonitor, ServiceMonitor and PrometheusRule. */
export async function prometheusCrds(tell: Tell): Promise<string[]> {
  const folder = join(cacheFolder(), "testing", `prometheus-operator-${PROMETHEUS_OPERATOR}`);
  const files = KINDS.map((kind) => `monitoring.coreos.com_${kind}.yaml`);
  if (!existsSync(folder)) {
    const module = `github.com/prometheus-operator/prometheus-operator@${PROMETHEUS_OPERATOR}`;
    const inModule = files.map((file) => `example/prometheus-operator-crd/${file}`);
    await alone("prometheus-crds", tell, () =>
      madeOnce(folder, async (temporary) => await takeFromModule(module, inModule, temporary)),
    );
    tell(`took the kinds of the Prometheus operator ${PROMETHEUS_OPERATOR} from its module`);
  }
  return files.map((file) => join(folder, file));
}
