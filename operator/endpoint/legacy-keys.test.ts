// Who still writes the prefix of earlier releases is told what to write instead, before the prefix is read no more.
import { expect, test } from "vitest";
import { Gateway, Ingress, Service } from "#kube/kinds.ts";
import { aGateway, anIngress, aService } from "#test/support/builders.ts";
import { readOn } from "../translate/annotations.ts";
import { legacyEvents, legacyOptionEvents } from "./legacy-keys.ts";

const told = { type: "Warning", reason: "LegacyAnnotation" };

test("each legacy annotation is an event of its own; the new prefix, and what the operator writes itself, is none", () => {
  const annotations = {
    "k8s.ngrok.com/traffic-policy": "limits",
    "k8s.ngrok.com/bindings": "public",
    "ngrok.com/bindings": "public",
    "ngrok.com/description": "the shop",
    "k8s.ngrok.com/computed-url": "tcp://1.tcp.ngrok.io:5432",
  };
  expect(legacyEvents(anIngress({ metadata: { annotations } }), readOn(Ingress))).toMatchObject([
    {
      ...told,
      note: "k8s.ngrok.com/traffic-policy: the prefix k8s.ngrok.com/ is read for now only, write ngrok.com/traffic-policy",
    },
    {
      ...told,
      note: "k8s.ngrok.com/bindings: the prefix k8s.ngrok.com/ is read for now only, write ngrok.com/bindings",
    },
  ]);
});

test("an annotation that nobody reads on the kind is none, since its new prefix would not be read there either", () => {
  const names = ["app-protocols", "bindings", "description", "url"];
  const metadata = { annotations: Object.fromEntries(names.map((name) => [`k8s.ngrok.com/${name}`, "x"])) };
  const told = (events: ReturnType<typeof legacyEvents>) => events.map(({ note }) => note.split(": ")[0]);
  const both = ["k8s.ngrok.com/bindings", "k8s.ngrok.com/description"];
  expect(told(legacyEvents(anIngress({ metadata }), readOn(Ingress)))).toEqual(both);
  expect(told(legacyEvents(aGateway({ metadata }), readOn(Gateway)))).toEqual(both);
  const ofService = ["k8s.ngrok.com/url", "k8s.ngrok.com/bindings", "k8s.ngrok.com/app-protocols"];
  expect(told(legacyEvents(aService({ metadata }), readOn(Service)))).toEqual(ofService);
});

test("legacy TLS options of a Gateway are one event, however many listeners have them", () => {
  const old = (option: string): Record<string, string> => ({ [`k8s.ngrok.com/terminate-tls.${option}`]: "1.3" });
  const listener = (name: string, options?: Record<string, string>) => ({
    name,
    port: 443,
    protocol: "HTTPS",
    ...(options && { tls: { options } }),
  });
  const gateway = (...options: (Record<string, string> | undefined)[]) =>
    aGateway({ spec: { listeners: options.map((one, at) => listener(`l${at}`, one)) } });
  expect(
    legacyOptionEvents(gateway(old("min_version"), { ...old("min_version"), ...old("max_version") }, undefined)),
  ).toMatchObject([
    {
      ...told,
      note: "spec.listeners[].tls.options: k8s.ngrok.com/terminate-tls.max_version, k8s.ngrok.com/terminate-tls.min_version: the prefix k8s.ngrok.com/ is read for now only, write ngrok.com/terminate-tls.max_version, ngrok.com/terminate-tls.min_version",
    },
  ]);
  expect(
    legacyOptionEvents(gateway({ "ngrok.com/terminate-tls.min_version": "1.3", "k8s.ngrok.com/other": "x" })),
  ).toEqual([]);
});
