// The address of an HTTP proxy as people write it. It may hold a password: no text of ours repeats it.
import { KnownError } from "./errors.ts";

export interface ProxyAddress {
  readonly url: URL;
  /** What the proxy is to be told of who asks, for Proxy-Authorization; undefined when nothing. */
  readonly authorization: string | undefined;
  /** For people. */
  readonly said: string;
}

/** Throws KnownError invalid (code ProxyAddress) for what is none. */
export function proxyAddress(text: string): ProxyAddress {
  const url = URL.parse(text);
  if (url === null || !["http:", "https:"].includes(url.protocol)) throw noProxyAddress();
  return { url, authorization: authorizationOf(url), said: `the proxy ${url.origin}` };
}

export function noProxyAddress(): KnownError {
  return new KnownError("invalid", "the address of the proxy is not that of an HTTP proxy", {
    code: "ProxyAddress",
    hint: "Write http://HOST:PORT, with special characters of a password as %XX: in HTTPS_PROXY or HTTP_PROXY (proxy.httpsProxy, proxy.httpProxy or extraEnv of the chart), or in proxy-url of a kubeconfig.",
  });
}

function authorizationOf({ username, password }: URL): string | undefined {
  if (username === "") return undefined;
  try {
    const said = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    return `Basic ${Buffer.from(said).toString("base64")}`;
  } catch {
    throw noProxyAddress();
  }
}
