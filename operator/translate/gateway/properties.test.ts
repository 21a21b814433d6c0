// What holds for any Gateways, routes and grants whatever, in worlds that are drawn at random.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { KubeObject } from "#kube/kind.ts";
import type { GatewayObject, RouteObject } from "#kube/kinds.ts";
import type { ReferenceGrantObject } from "#kube/routing-objects.ts";
import { aGateway } from "#test/support/builders.ts";
import { type aGrant, aRule, aWebRoute, gatewayOptions, shop } from "#test/support/gateway-ground.ts";
import { hostile, standing, world } from "#test/support/gateway-worlds.ts";
import { index } from "../manifests.ts";
import { translate } from "../translate.ts";
import { ANYWHERE, needsMetBy } from "./grants.ts";
import { referencesOfGateway, referencesOfRoute } from "./references.ts";
import { virtualHostsOfGateways } from "./virtual-hosts.ts";

test("the order of the input does not show in the output", () => {
  fc.assert(
    fc.property(
      world.chain((objects) =>
        fc.tuple(fc.constant(objects), fc.shuffledSubarray(objects, { minLength: objects.length })),
      ),
      ([objects, shuffled]) => {
        expect(virtualHostsOfGateways(index(shuffled), gatewayOptions)).toEqual(
          virtualHostsOfGateways(index(objects), gatewayOptions),
        );
        expect(translate(index(shuffled), gatewayOptions)).toEqual(translate(index(objects), gatewayOptions));
      },
    ),
    { numRuns: 150 },
  );
});

test("nothing of another namespace is used without a grant there", () => {
  fc.assert(
    fc.property(world, (objects) => {
      const open = new Set(
        objects.flatMap((one) => {
          if (one.kind !== "ReferenceGrant") return [];
          const { from = [], to = [] } = (one as ReturnType<typeof aGrant>).spec ?? {};
          return from.flatMap((source) =>
            to.map(
              (target) =>
                `${source.kind} ${source.namespace} > ${target.kind} ${one.metadata.namespace}/${target.name ?? "*"}`,
            ),
          );
        }),
      );
      const isOpen = (from: string, at: string, kind: string, inside: string, name: string): boolean =>
        at === inside || [name, "*"].some((one) => open.has(`${from} ${at} > ${kind} ${inside}/${one}`));
      for (const host of virtualHostsOfGateways(index(objects), gatewayOptions).hosts) {
        const { tlsTermination, clientCertRefs, namespace: at } = host;
        // Each PEM of this world says whose it is.
        const pems: [string, string | undefined][] = [
          ["Secret", tlsTermination?.serverPrivateKey],
          ["Secret", tlsTermination?.serverCertificate],
          ...(tlsTermination?.mutualTLSCAs ?? []).map((pem): [string, string] => ["ConfigMap", pem]),
        ];
        for (const [kind, pem] of pems.filter(([, one]) => one !== undefined)) {
          const [, inside = "", name = ""] = /of (.*)\/(.*)$/.exec(pem ?? "") ?? [];
          expect([pem, isOpen("Gateway", at, kind, inside, name)]).toEqual([pem, true]);
        }
        for (const cert of clientCertRefs)
          expect(isOpen("Gateway", at, "Secret", cert.namespace, cert.name)).toBe(true);
        const sources = host.owningResources.slice(1).map((owner) => owner.split(/[ /]/));
        for (const destination of host.routes.flatMap((one) => one.destinations)) {
          const service = destination.upstream?.service;
          if (service === undefined) continue;
          const openTo = sources.some(([kind = "", inside = ""]) =>
            isOpen(kind, inside, "Service", service.namespace, service.name),
          );
          expect([service, openTo]).toEqual([service, true]);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test("a Gateway looks at nothing beside what it and its routes refer to", () => {
  fc.assert(
    fc.property(world, (objects) => {
      const whole = virtualHostsOfGateways(index(objects), gatewayOptions).hosts;
      const named = (one: KubeObject): string => `${one.metadata.namespace}/${one.metadata.name}`;
      for (const gateway of objects.filter((one): one is GatewayObject => one.kind === "Gateway")) {
        const own = referencesOfGateway(gateway);
        const routes = objects
          .filter(({ kind = "" }) => /^(HTTP|TCP|TLS)Route$/.test(kind))
          .map((one) => one as RouteObject)
          .filter((one) => referencesOfRoute(one).gateways.includes(named(gateway)));
        const theirs = routes.map(referencesOfRoute);
        const seen: Readonly<Record<string, readonly string[]>> = {
          Gateway: [named(gateway)],
          Service: theirs.flatMap(({ services }) => services),
          Secret: own.secrets,
          ConfigMap: own.configMaps,
          NgrokTrafficPolicy: [...own.policies, ...theirs.flatMap(({ policies }) => policies)],
        };
        const needs = [...own.needs, ...theirs.flatMap((one) => one.needs)];
        const leadsInto = (place = ""): boolean =>
          theirs.some(({ services }) => services.some((name) => name.startsWith(`${place}/`)));
        const isAbout = (grant: ReferenceGrantObject): boolean =>
          ["Gateway", "HTTPRoute", "TCPRoute", "TLSRoute"].some((kind) =>
            needsMetBy(grant, kind).some((need) => needs.includes(need)),
          ) ||
          (leadsInto(grant.metadata.namespace) &&
            needsMetBy(grant, "Gateway", ANYWHERE).some((need) => own.needs.includes(need)));
        const alone = objects.filter((one) => {
          if (one.kind === "GatewayClass" || one.kind === "Namespace") return true;
          if (one.kind === "ReferenceGrant") return isAbout(one);
          return routes.some((route) => route === one) || seen[one.kind ?? ""]?.includes(named(one)) === true;
        });
        const mine = whole.filter(({ owningResources }) => owningResources[0] === `Gateway ${named(gateway)}`);
        expect(virtualHostsOfGateways(index(alone), gatewayOptions).hosts).toEqual(mine);
        for (const { listener: at } of mine) expect(own.hosts).toContain(at.hostname);
      }
    }),
    { numRuns: 150 },
  );
});

test("whatever forwards leads to an endpoint that is there, and no two endpoints share a name", () => {
  fc.assert(
    fc.property(world, (objects) => {
      const { endpoints } = translate(index(objects), gatewayOptions);
      const urls = new Set(endpoints.map(({ spec }) => spec.url));
      const forwarded = [...JSON.stringify(endpoints).matchAll(/"forward-internal","config":\{"url":"([^"]*)"/g)];
      for (const [, url] of forwarded) expect(urls).toContain(url);
      const names = endpoints.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`);
      expect(new Set(names).size).toBe(names.length);
    }),
    { numRuns: 200 },
  );
});

test("every pattern of a redirect is one that compiles, whatever the path", () => {
  fc.assert(
    fc.property(hostile, (path) => {
      const filters = [{ type: "RequestRedirect", requestRedirect: { scheme: "https" } }];
      const rules = [aRule({ filters, matches: [{ path: { type: "PathPrefix", value: path } }] })];
      const { hosts } = virtualHostsOfGateways(
        index([...standing, aGateway(), shop(), aWebRoute({ rules })]),
        gatewayOptions,
      );
      const config = hosts[0]?.routes[0]?.trafficPolicies[0]?.on_http_request[0]?.actions[0]?.config as {
        from: string;
      };
      const pattern = new RegExp(config.from.replaceAll("(?P<", "(?<"), "s");
      expect(pattern.exec(`http://shop.example.com${path}`)?.groups?.["prefix"]).toBe(path);
    }),
    { numRuns: 200 },
  );
});
