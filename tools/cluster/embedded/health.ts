// Whether each component of a cluster works, asked at its own readiness endpoint.
import { get as getHttp } from "node:http";
import { get as getHttps } from "node:https";
import { setTimeout as pause } from "node:timers/promises";
import { PORTS } from "./node.ts";

/** The components by name, with the URL that answers 200 when they work. */
export function healthEndpoints(nodeIp: string): Record<string, string> {
  return {
    registry: `http://${nodeIp}:${PORTS.registry}/v2/`,
    etcd: `http://${nodeIp}:${PORTS.etcdHealth}/health`,
    "kube-apiserver": `https://${nodeIp}:${PORTS.api}/readyz`,
    "kube-controller-manager": `https://${nodeIp}:${PORTS.controllerManager}/healthz`,
    "kube-scheduler": `https://${nodeIp}:${PORTS.scheduler}/healthz`,
    kubelet: `http://${nodeIp}:${PORTS.kubelet}/healthz`,
    "kube-proxy": `http://${nodeIp}:${PORTS.proxy}/healthz`,
  };
}

/** `ok`, or what is wrong. */
export function health(url: string): Promise<string> {
  return new Promise((done) => {
    // Controller manager and scheduler make their certificates themselves; nothing secret is sent or believed here.
    const options = { agent: false, timeout: 10_000, rejectUnauthorized: false };
    const call = (url.startsWith("https:") ? getHttps : getHttp)(url, options, (response) => {
      response.resume();
      response.once("end", () => done(response.statusCode === 200 ? "ok" : `answers ${response.statusCode}`));
      response.once("error", (error) => done(error.message));
    });
    call.once("timeout", () => call.destroy(new Error("no answer in 10 s")));
    call.once("error", (error) => done(error.message));
  });
}

/** Resolves when `url` answers ok; nothing tells when a port opens, so it is asked ten times a second. */
export async function healthy(name: string, url: string, signal: AbortSignal): Promise<void> {
  for (let last = await health(url); last !== "ok"; last = await health(url)) {
    const why = last;
    await pause(100, undefined, { signal }).catch(() => {
      throw new Error(`${name} does not become ready: ${why}`);
    });
  }
}
