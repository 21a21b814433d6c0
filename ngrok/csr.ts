// The key of a cluster's bindings and the request by which ngrok signs it.

export interface KeyAndRequest {
  /** PEM, label EC PRIVATE KEY, a P-256 key in SEC1: the Secret's `tls.key`. */
  readonly key: string;
  /** PEM, label CERTIFICATE REQUEST: the Secret's `tls.csr`. */
  readonly csr: string;
}
