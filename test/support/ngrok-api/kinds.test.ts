// What ngrok checks of each kind: pools of endpoints, domains in use, CIDRs, traffic policies, binding certificates.
import { X509Certificate } from "node:crypto";
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { Pkcs10CertificateRequestGenerator } from "@peculiar/x509";
import { describe, test } from "vitest";
import { call, make } from "./caller.ts";
import { startNgrokApi, type NgrokApi } from "./server.ts";

const url = "https://app.example.com";
const endpoint = (fields: Record<string, unknown> = {}) => ({ type: "cloud", url, ...fields });

async function refusal(api: NgrokApi, method: string, path: string, body?: unknown): Promise<unknown> {
  return (await call(api, method, path, body)).body["error_code"];
}

describe("endpoints", () => {
  test("two may share a URL only when both pool", async ({ expect }) => {
    await using api = await startNgrokApi();
    const first = await make(api, "/endpoints", endpoint());
    expect(await refusal(api, "POST", "/endpoints", endpoint())).toBe("ERR_NGROK_18017");
    expect(await refusal(api, "POST", "/endpoints", endpoint({ pooling_enabled: true }))).toBe("ERR_NGROK_18016");
    await call(api, "PATCH", `/endpoints/${first}`, { pooling_enabled: true });
    await make(api, "/endpoints", endpoint({ url: `${url}:443`, pooling_enabled: true }));
    expect(await refusal(api, "PATCH", `/endpoints/${first}`, { pooling_enabled: false })).toBe("ERR_NGROK_18017");
    expect(api.state()).toMatchObject({ endpoints: 2 });
  });

  test("the URL is free again once its endpoint is deleted or moved", async ({ expect }) => {
    await using api = await startNgrokApi();
    const first = await make(api, "/endpoints", endpoint());
    await call(api, "PATCH", `/endpoints/${first}`, { url: "https://other.example.com" });
    const second = await make(api, "/endpoints", endpoint());
    await call(api, "DELETE", `/endpoints/${second}`);
    await make(api, "/endpoints", endpoint());
    expect(api.remote()).toBe(2);
  });

  test.for([
    ["ftp://a.example.com", "ERR_NGROK_18022"],
    ["https://", "ERR_NGROK_18001"],
    ["https://a.example.com/path", "ERR_NGROK_18001"],
    ["tcp://1.tcp.ngrok.io", "ERR_NGROK_18003"],
  ] as const)("the URL %s is refused with %s", async ([bad, code], { expect }) => {
    await using api = await startNgrokApi();
    expect(await refusal(api, "POST", "/endpoints", endpoint({ url: bad }))).toBe(code);
  });

  test.for(["{", "[]", '{"on_fire":[]}', '{"on_http_request":{}}', '{"on_http_request":[{"actions":[{}]}]}'])(
    "the traffic policy %s is refused",
    async (policy, { expect }) => {
      await using api = await startNgrokApi();
      expect(await refusal(api, "POST", "/endpoints", endpoint({ traffic_policy: policy }))).toBe("ERR_NGROK_2201");
      const id = await make(api, "/endpoints", endpoint({ traffic_policy: '{"on_http_request":[]}' }));
      expect(await refusal(api, "PATCH", `/endpoints/${id}`, { traffic_policy: policy })).toBe("ERR_NGROK_2201");
      expect(api.objects("endpoints")).toMatchObject([{ traffic_policy: '{"on_http_request":[]}' }]);
    },
  );

  test("the binding follows the host unless one is given", async ({ expect }) => {
    await using api = await startNgrokApi();
    const bindings = async (fields: Record<string, unknown>) =>
      (await call(api, "POST", "/endpoints", endpoint(fields))).body["bindings"];
    expect(await bindings({ url: "https://a.internal" })).toEqual(["internal"]);
    expect(await bindings({ url: "http://svc.ns", bindings: ["kubernetes"] })).toEqual(["kubernetes"]);
    expect(await bindings({ url: "https://b.internal", bindings: ["public"] })).toBeUndefined();
    expect(await bindings({ bindings: ["public", "internal"] })).toBeUndefined();
  });

  test("where reservations are demanded, a public URL needs its domain or a wildcard above it", async ({ expect }) => {
    await using api = await startNgrokApi({ demandReservation: true });
    expect(await refusal(api, "POST", "/endpoints", endpoint())).toBe("ERR_NGROK_18006");
    const domain = await make(api, "/reserved_domains", { domain: "*.example.com" });
    const made = await call(api, "POST", "/endpoints", endpoint());
    expect(made).toMatchObject({ status: 201, body: { domain: { id: domain } } });
    await make(api, "/endpoints", endpoint({ url: "https://a.internal" }));
  });
});

describe("domains and addresses", () => {
  test("a host is reserved once", async ({ expect }) => {
    await using api = await startNgrokApi();
    const id = await make(api, "/reserved_domains", { domain: "a.example.com" });
    expect(await refusal(api, "POST", "/reserved_domains", { domain: "A.example.com" })).toBe("ERR_NGROK_413");
    await call(api, "DELETE", `/reserved_domains/${id}`);
    await make(api, "/reserved_domains", { domain: "a.example.com" });
    expect(await refusal(api, "POST", "/reserved_domains", { domain: "not a host" })).toBe("ERR_NGROK_215");
  });

  test.for(["app.example.com", "*.example.com"])("%s cannot go before the endpoint on it", async (host, { expect }) => {
    await using api = await startNgrokApi();
    const domain = await make(api, "/reserved_domains", { domain: host });
    const id = await make(api, "/endpoints", endpoint());
    const refused = await call(api, "DELETE", `/reserved_domains/${domain}`);
    expect(refused).toMatchObject({ status: 409, body: { error_code: "ERR_NGROK_446" } });
    await call(api, "DELETE", `/endpoints/${id}`);
    expect((await call(api, "DELETE", `/reserved_domains/${domain}`)).status).toBe(204);
  });

  test("ngrok's own domains need no certificate; others have one, or wait for it when told to", async ({ expect }) => {
    await using issued = await startNgrokApi();
    await using waiting = await startNgrokApi({ certificates: "provisioning" });
    const body = async (api: NgrokApi, domain: string) =>
      (await call(api, "POST", "/reserved_domains", { domain })).body;
    expect(await body(issued, "a.ngrok.app")).toMatchObject({ certificate: null, certificate_management_policy: null });
    expect(await body(issued, "a.example.com")).toMatchObject({ certificate: { id: expect.any(String) } });
    const custom = await body(waiting, "a.example.com");
    expect(custom).toMatchObject({ certificate: null, cname_target: expect.any(String) });
    waiting.edit("reserved_domains", String(custom["id"]), { certificate: { id: "cert_1", uri: "" } });
    expect(waiting.objects("reserved_domains")).toMatchObject([{ certificate: { id: "cert_1" } }]);
  });

  test("an address is picked by ngrok, and stays while a tcp endpoint uses it", async ({ expect }) => {
    await using api = await startNgrokApi();
    const { body } = await call(api, "POST", "/reserved_addrs", { description: "Reserved for ns/svc" });
    const made = await call(api, "POST", "/endpoints", endpoint({ url: `tcp://${String(body["addr"])}` }));
    expect(made.body).toMatchObject({ tcp_addr: { id: body["id"] }, domain: null });
    expect(await refusal(api, "DELETE", `/reserved_addrs/${String(body["id"])}`)).toBe("ERR_NGROK_446");
  });
});

describe("IP policies", () => {
  test("rules need a policy, a CIDR that is one and not there yet, and an action", async ({ expect }) => {
    await using api = await startNgrokApi();
    const ip_policy_id = await make(api, "/ip_policies", {});
    const rule = { ip_policy_id, cidr: "10.0.0.0/8", action: "allow" };
    const post = async (fields: Record<string, unknown>) =>
      await refusal(api, "POST", "/ip_policy_rules", { ...rule, ...fields });
    for (const cidr of ["10.0.0.0", "10.0.0.0/33", "x/8", "::/129", "10.0.0.0/8/8"]) {
      expect(await post({ cidr })).toBe("ERR_NGROK_1406");
    }
    expect(await post({ action: "maybe" })).toBe("ERR_NGROK_1422");
    expect(await post({ ip_policy_id: "ipp_gone" })).toBe("ERR_NGROK_341");
    const id = await make(api, "/ip_policy_rules", rule);
    expect(await post({ action: "deny" })).toBe("ERR_NGROK_1408");
    expect((await call(api, "GET", "/ip_policy_rules")).body["ip_policy_rules"]).toMatchObject([
      { id, cidr: "10.0.0.0/8", action: "allow", ip_policy: { id: ip_policy_id } },
    ]);
    await call(api, "DELETE", `/ip_policy_rules/${id}`);
    await make(api, "/ip_policy_rules", { ...rule, action: "deny" });
  });

  test("rules go with their policy and do not count as remote objects", async ({ expect }) => {
    await using api = await startNgrokApi();
    const ip_policy_id = await make(api, "/ip_policies", {});
    await make(api, "/ip_policy_rules", { ip_policy_id, cidr: "::/0", action: "deny" });
    expect([api.state()["ip_policy_rules"], api.remote()]).toEqual([1, 1]);
    await call(api, "DELETE", `/ip_policies/${ip_policy_id}`);
    expect([api.state()["ip_policy_rules"], api.remote()]).toEqual([0, 0]);
  });
});

describe("Kubernetes operators", () => {
  const deployment = { name: "ngrok-operator", namespace: "ngrok" };

  async function aRequest(): Promise<string> {
    const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-512" };
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
    return (await Pkcs10CertificateRequestGenerator.create({ keys, signingAlgorithm: algorithm })).toString("pem");
  }

  test("a binding's request is answered with a certificate that the stand-in's authority signed", async ({
    expect,
  }) => {
    await using api = await startNgrokApi({ ingressEndpoint: "edge.test:7443", certificateDays: 30 });
    const csr = await aRequest();
    const binding = { endpoint_selectors: ["true"], csr };
    const { status, body } = await call(api, "POST", "/kubernetes_operators", { deployment, binding });
    expect(status).toBe(201);
    expect(body).toMatchObject({ deployment, binding: { ingress_endpoint: "edge.test:7443" } });
    const { cert } = body["binding"] as { cert: { cert: string; not_before: string; not_after: string } };
    const issued = new X509Certificate(cert.cert);
    expect(issued.verify(new X509Certificate(await api.authority()).publicKey)).toBe(true);
    expect(Date.parse(cert.not_after)).toBe(Date.parse(issued.validTo));
    expect(Date.parse(cert.not_after) - Date.parse(cert.not_before)).toBe(30 * 86_400_000);

    const path = `/kubernetes_operators/${String(body["id"])}`;
    const certificateAfter = async (request: string) => {
      const patched = await call(api, "PATCH", path, { binding: { csr: request } });
      return (patched.body["binding"] as { cert: { cert: string } }).cert.cert;
    };
    expect(await certificateAfter(csr)).toBe(cert.cert);
    expect(await certificateAfter(await aRequest())).not.toBe(cert.cert);
  });

  test("a request that is none, and a registration without a deployment, are refused", async ({ expect }) => {
    await using api = await startNgrokApi();
    const post = async (body: unknown) => await refusal(api, "POST", "/kubernetes_operators", body);
    expect(await post({ deployment, binding: { csr: "nonsense" } })).toBe("ERR_NGROK_19002");
    expect(await post({ description: "who am I" })).toBe("ERR_NGROK_215");
    expect(api.state()).toMatchObject({ kubernetes_operators: 0 });
  });

  test("its bound endpoints are those with the binding kubernetes; the registration itself is not remote", async ({
    expect,
  }) => {
    await using api = await startNgrokApi();
    const binding = { endpoint_selectors: ["true"] };
    const id = await make(api, "/kubernetes_operators", { deployment, binding });
    const plain = await make(api, "/kubernetes_operators", { deployment });
    await make(api, "/endpoints", endpoint());
    const bound = await make(api, "/endpoints", endpoint({ url: "tcp://svc.ns:5432", bindings: ["kubernetes"] }));
    const list = async (operator: string) =>
      (await call(api, "GET", `/kubernetes_operators/${operator}/bound_endpoints`)).body["endpoints"];
    expect(await list(id)).toMatchObject([{ id: bound, proto: "tcp", public_url: "tcp://svc.ns:5432" }]);
    expect(await list(plain)).toEqual([]);
    expect(await list("k8sop_gone")).toBeUndefined();
    expect(api.remote()).toBe(2);
  });
});
