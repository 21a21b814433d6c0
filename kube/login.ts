// Who we are to the API server: read from the pod's ServiceAccount or from a kubeconfig, and read again as it rotates.
import type { Tls } from "#wire/http.ts";

/** Address and credentials as they are now. Headers carry secrets: they go nowhere but into requests. */
export interface Login {
  /** `https://host:port` */
  readonly origin: string;
  /** Path in front of `/api`, "" for most servers. */
  readonly basePath: string;
  readonly tls: Tls;
  readonly headers: Readonly<Record<string, string>>;
  readonly proxy?: string;
}

/** Reads the login anew: token files, client certificates and exec plugins may have changed it. Throws KnownError invalid. */
export type LoginSource = () => Promise<Login>;
