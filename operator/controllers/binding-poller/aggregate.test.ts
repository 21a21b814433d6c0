// From ngrok's list to the addresses of the cluster that it names, as data.
import { describe, expect, test } from "vitest";
import type { RemoteBoundEndpoint } from "#ngrok/operators.ts";
import { aggregate } from "./aggregate.ts";

function remote(publicUrl: string, proto = "", id = `ep_${publicUrl}`): RemoteBoundEndpoint {
  return { id, uri: `https://api.ngrok.com/endpoints/${id}`, proto, publicUrl };
}

function urls(...given: RemoteBoundEndpoint[]): string[] {
  return aggregate(given).addresses.map(({ endpointURL }) => endpointURL);
}

describe("the address of an endpoint", () => {
  test.for([
    ["http://billing.default", "http", "http://billing.default:80"],
    ["https://billing.default", "https", "https://billing.default:443"],
    ["tls://billing.default", "tls", "tls://billing.default:443"],
    ["tcp://db.prod:5432", "tcp", "tcp://db.prod:5432"],
    ["http://billing.default:8080", "http", "http://billing.default:8080"],
    ["billing.default", "http", "http://billing.default:80"],
    ["billing.default", "", "https://billing.default:443"],
    ["billing.default:5432", "tcp", "tcp://billing.default:5432"],
    ["HTTP://Billing.Default", "http", "http://billing.default:80"],
  ] as const)("%s of protocol %s is %s", ([url, proto, address], { expect }) => {
    expect(urls(remote(url, proto))).toEqual([address]);
  });

  test.for([
    ["tcp://db.prod", "tcp", "names no port"],
    ["https://billing.default", "http", "its URL is of https, its protocol is http"],
    ["http://billing", "http", "is not <service>.<namespace>"],
    ["http://billing.default.svc", "http", "is not <service>.<namespace>"],
    ["http://1billing.default", "http", "is not <service>.<namespace>"],
    ["http://billing-.default", "http", "is not a host name"],
    ["http://*.default", "http", "is not <service>.<namespace>"],
    ["http://billing.default:70000", "http", "the port of"],
    ["ftp://billing.default", "ftp", "the scheme of"],
    ["http://a:secret@billing.default", "http", "user name or password"],
    ["", "", "the URL is empty"],
  ] as const)("%s of protocol %s is a problem of its own: %s", ([url, proto, words], { expect }) => {
    const { addresses, problems } = aggregate([remote(url, proto, "ep_bad"), remote("http://billing.default")]);
    expect(addresses.map(({ endpointURL }) => endpointURL)).toEqual(["http://billing.default:80"]);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^endpoint ep_bad: /);
    expect(problems[0]).toContain(words);
    expect(problems[0]).not.toContain("secret");
  });

  test.for([
    ["no id", remote("http://shop.default", "http", ""), "endpoint without id: ngrok lists http://shop.default:80"],
    ["no URL", remote("", "http", "ep_bad"), "endpoint ep_bad: the URL is empty"],
    ["nothing at all", remote("", "", ""), "endpoint without id: the URL is empty"],
  ] as const)("with %s is a problem, and the list is not whole", ([, bad, words], { expect }) => {
    const { addresses, problems, isWhole } = aggregate([remote("http://billing.default"), bad]);
    expect(addresses.map(({ endpointURL }) => endpointURL)).toEqual(["http://billing.default:80"]);
    expect(problems).toEqual([expect.stringContaining(words)]);
    expect([isWhole, aggregate([remote("http://billing")]).isWhole]).toEqual([false, true]);
  });

  test("is shared by all endpoints that have it, whichever order they come in", () => {
    const two = [remote("http://billing.default", "http", "ep_2"), remote("billing.default:80", "http", "ep_1")];
    for (const given of [two, two.toReversed(), [...two, ...two]])
      expect(aggregate(given).addresses).toMatchObject([{ endpoints: [{ id: "ep_1" }, { id: "ep_2" }] }]);
  });
});
