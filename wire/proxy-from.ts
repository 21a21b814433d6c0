// Which proxy leads to an address, as the environment says it, by the rules of curl and of Go's programs.
import { BlockList, isIP } from "node:net";

type Env = Readonly<Record<string, string | undefined>>;

/**
 * From an origin (`https://host:port`) to the proxy that leads there: HTTPS_PROXY or HTTP_PROXY by its scheme, unless
 * NO_PROXY names it: `*`, a host with all below it (`example.com`, `.example.com`), an address, a CIDR, each with a port or
 * without. Lower-case names count too.
 */
export function proxyFrom(env: Env): (origin: string) => string | undefined {
  const of = (name: string): string => env[name] || env[name.toLowerCase()] || "";
  const exceptions = of("NO_PROXY")
    .split(/[\s,]+/)
    .filter((one) => one !== "");
  return (origin) => {
    const { protocol, hostname, port } = new URL(origin);
    const proxy = of(protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY");
    if (proxy === "") return undefined;
    const host = hostname.replaceAll(/^\[|\]$/g, "");
    const own = port === "" ? (protocol === "https:" ? "443" : "80") : port;
    return exceptions.some((exception) => isMeant(exception, host, own)) ? undefined : proxy;
  };
}

function isMeant(exception: string, host: string, port: string): boolean {
  if (exception === "*") return true;
  const [, name = exception, at] = /^\[?(.*?)\]?:(\d+)$/.exec(isIP(exception) === 6 ? "" : exception) ?? [];
  if (at !== undefined && at !== port) return false;
  const [network = "", bits] = name.split("/");
  if (bits !== undefined) return isWithin(host, network, Number(bits));
  const domain = name.replace(/^\*?\./, "").toLowerCase();
  return host === domain || (isIP(host) === 0 && host.endsWith(`.${domain}`));
}

function isWithin(host: string, network: string, bits: number): boolean {
  const family = isIP(network);
  if (family === 0 || isIP(host) !== family || !(bits >= 0 && bits <= (family === 4 ? 32 : 128))) return false;
  const type = family === 4 ? "ipv4" : "ipv6";
  const list = new BlockList();
  list.addSubnet(network, bits, type);
  return list.check(host, type);
}
