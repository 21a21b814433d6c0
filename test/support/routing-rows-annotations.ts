// The rows of the annotations: each on an Ingress and on a Gateway, and those of a backend Service.
import { type Annotations, gateway, hostOf, ingress, policy, route, service } from "./routing-parts.ts";
import type { Places, Row } from "./routing-rows.ts";

interface Case extends Pick<Row, "name" | "makes" | "lacks" | "told"> {
  readonly annotations: Annotations;
}

const verbose = { "ngrok.com/mapping-strategy": "endpoints-verbose" };

const both: readonly Case[] = [
  { name: "unsaid", annotations: {}, makes: ['"kind":"AgentEndpoint"'] },
  {
    name: "endpoints",
    annotations: { "ngrok.com/mapping-strategy": "endpoints" },
    makes: ['"kind":"AgentEndpoint"', "Fallback-404"],
  },
  {
    name: "collapsed",
    annotations: { "ngrok.com/mapping-strategy": "endpoints-collapsed" },
    makes: ['"kind":"AgentEndpoint"', "Initialize-Local-Service-Match"],
  },
  {
    name: "verbose",
    annotations: { "ngrok.com/mapping-strategy": "endpoints-verbose" },
    makes: ['"kind":"CloudEndpoint"', "forward-internal", ".internal"],
    lacks: ["poolingEnabled"],
  },
  {
    name: "spaced",
    annotations: { "ngrok.com/mapping-strategy": " endpoints-verbose " },
    makes: ['"kind":"CloudEndpoint"'],
  },
  {
    name: "edges",
    annotations: { "ngrok.com/mapping-strategy": "edges" },
    makes: ['"kind":"AgentEndpoint"'],
    told: "is not a mapping strategy",
  },
  { name: "policy", annotations: { "ngrok.com/traffic-policy": "hello" }, makes: ['"content":"hello"'] },
  {
    name: "policies",
    annotations: { "ngrok.com/traffic-policy": "hello,other" },
    makes: "nothing",
    told: 'metadata.annotations["ngrok.com/traffic-policy"]',
  },
  {
    name: "no-policy",
    annotations: { "ngrok.com/traffic-policy": "" },
    makes: "nothing",
    told: 'metadata.annotations["ngrok.com/traffic-policy"]',
  },
  {
    name: "lost-policy",
    annotations: { "ngrok.com/traffic-policy": "lost" },
    makes: "nothing",
    told: "NgrokTrafficPolicy lost is not in namespace",
  },
  { name: "internal", annotations: { "ngrok.com/bindings": "internal" }, makes: ['"bindings":["internal"]'] },
  { name: "public", annotations: { "ngrok.com/bindings": "public" }, makes: ['"bindings":["public"]'] },
  { name: "bound", annotations: { "ngrok.com/bindings": "kubernetes" }, makes: ['"bindings":["kubernetes"]'] },
  {
    name: "presence",
    annotations: { "k8s.ngrok.com/bindings": "public", "ngrok.com/bindings": "" },
    makes: "nothing",
    told: 'metadata.annotations["ngrok.com/bindings"]',
  },
  {
    name: "bindings",
    annotations: { "ngrok.com/bindings": "internal,public" },
    makes: "nothing",
    told: 'metadata.annotations["ngrok.com/bindings"]',
  },
  { name: "metadata", annotations: { "ngrok.com/metadata": '{"team":"shop"}' }, makes: ['team\\":\\"shop'] },
  {
    name: "no-metadata",
    annotations: { "ngrok.com/metadata": "{" },
    makes: ['"kind":"AgentEndpoint"'],
    told: 'metadata.annotations["ngrok.com/metadata"]',
  },
  {
    name: "description",
    annotations: { "ngrok.com/description": "the shop" },
    makes: ['"description":"the shop"'],
  },
  {
    name: "legacy",
    annotations: { "k8s.ngrok.com/mapping-strategy": "endpoints-verbose", "k8s.ngrok.com/description": "old" },
    makes: ['"kind":"CloudEndpoint"', '"description":"old"'],
  },
  {
    name: "both",
    annotations: { "k8s.ngrok.com/description": "old", "ngrok.com/description": "new" },
    makes: ['"description":"new"'],
  },
  {
    name: "legacy-rest",
    annotations: {
      ...verbose,
      "k8s.ngrok.com/traffic-policy": "hello",
      "k8s.ngrok.com/pooling-enabled": "true",
      "k8s.ngrok.com/bindings": "public",
      "k8s.ngrok.com/metadata": '{"team":"old"}',
    },
    makes: ['"content":"hello"', '"poolingEnabled":true', '"bindings":["public"]', 'team\\":\\"old'],
  },
  {
    name: "lines",
    annotations: { "ngrok.com/description": " the shop  \n  of all " },
    makes: ['"description":"the shop\\nof all"'],
  },
  {
    name: "odd-policy",
    annotations: { "ngrok.com/traffic-policy": "odd" },
    makes: "nothing",
    told: "spec.policy.on_nonsense is not a phase that ngrok knows",
  },
  {
    name: "numbered",
    annotations: { ...verbose, "ngrok.com/traffic-policy": "numbered" },
    makes: ['"name":7', '"inline":{', '"policy":{'],
    lacks: ["on_tcp_connect", "on_http_response"],
  },
  {
    name: "pooled",
    annotations: { ...verbose, "ngrok.com/pooling-enabled": "TRUE" },
    makes: ['"poolingEnabled":true'],
  },
  {
    name: "alone",
    annotations: { ...verbose, "ngrok.com/pooling-enabled": "maybe" },
    makes: ['"poolingEnabled":false'],
    told: "is neither true nor false",
  },
];

/** How a backend Service wants to be spoken to. */
const upstreams: readonly {
  readonly name: string;
  readonly annotations?: Annotations;
  readonly appProtocol?: string;
  readonly makes: string;
  readonly lacks?: readonly string[];
  readonly told?: string;
}[] = [
  { name: "plain", makes: '"url":"http://plain.' },
  { name: "https", annotations: { "ngrok.com/app-protocols": '{"web":"https"}' }, makes: '"url":"https://https.' },
  { name: "tcp", annotations: { "k8s.ngrok.com/app-protocols": '{"web":"TCP"}' }, makes: '"url":"tcp://tcp.' },
  {
    name: "tls-backend",
    annotations: { "ngrok.com/app-protocols": '{"web":"TLS"}' },
    makes: '"url":"tls://tls-backend.',
  },
  {
    name: "http-backend",
    annotations: { "ngrok.com/app-protocols": '{"web":"HTTP","other":"TLS"}' },
    makes: '"url":"http://http-backend.',
  },
  {
    name: "broken",
    annotations: { "ngrok.com/app-protocols": "{" },
    makes: '"url":"http://broken.',
    told: "app-protocols",
  },
  {
    name: "odd-word",
    annotations: { "ngrok.com/app-protocols": '{"web":"gopher"}' },
    makes: '"url":"http://odd-word.',
    told: "gives port web no protocol that is known",
  },
  {
    name: "app-protocols-both",
    annotations: { "k8s.ngrok.com/app-protocols": '{"web":"TCP"}', "ngrok.com/app-protocols": '{"web":"https"}' },
    makes: '"url":"https://app-protocols-both.',
  },
  { name: "http2", appProtocol: "ngrok.com/http2", makes: '"protocol":"http2"' },
  { name: "http2-legacy", appProtocol: "k8s.ngrok.com/http2", makes: '"protocol":"http2"' },
  { name: "h2c", appProtocol: "kubernetes.io/h2c", makes: '"protocol":"http2"' },
  { name: "http1", appProtocol: "http", makes: '"protocol":"http1"' },
  { name: "ws", appProtocol: "kubernetes.io/ws", makes: '"url":"http://ws.', lacks: ['"protocol"'] },
];

export function annotationRows({ shop }: Places): Row[] {
  const actions = [{ type: "deny" }];
  const numbered = {
    ...policy(shop, "numbered"),
    spec: { policy: { on_http_request: [{ name: 7, actions }], on_tcp_connect: [] } },
  };
  return [
    ...both.map(({ annotations, ...rest }): Row => {
      const name = `ing-${rest.name}`;
      return { ...rest, name, objects: [service(shop, name), ingress(shop, name, { annotations })] };
    }),
    ...both.map(({ annotations, ...rest }): Row => {
      const name = `gw-${rest.name}`;
      return {
        ...rest,
        name,
        objects: [service(shop, name), gateway(shop, name, { annotations }), route(shop, name)],
      };
    }),
    ...upstreams.map(({ name, annotations, appProtocol, makes, ...rest }): Row => {
      const port = appProtocol === undefined ? {} : { appProtocol };
      const backend = service(shop, name, { ...(annotations && { annotations }), port });
      return { ...rest, name, makes: [makes, hostOf(name)], objects: [backend, ingress(shop, name)] };
    }),
    // An HTTPRoute does not ask the port how it wants to be spoken to.
    {
      name: "gw-h2c",
      makes: ["http://gw-h2c."],
      lacks: ['"protocol"'],
      told: "which is read for Ingresses alone",
      objects: [
        service(shop, "gw-h2c", { port: { appProtocol: "kubernetes.io/h2c" } }),
        gateway(shop, "gw-h2c"),
        route(shop, "gw-h2c"),
      ],
    },
    // The policies that rows of both kinds name.
    { name: "hello", makes: "nothing", objects: [policy(shop, "hello"), policy(shop, "odd", "on_nonsense"), numbered] },
  ];
}
