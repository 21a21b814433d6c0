import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  boundEndpointName,
  distinctDomainName,
  distinctName,
  domainName,
  isInternalHost,
  kubernetesName,
  parseEndpointUrl,
} from "./names.ts";

/** What the API server demands of the name of an object. */
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$/);
const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join("."));
const port = fc.integer({ min: 1, max: 65_535 });

function problem(text: string): string {
  const parsed = parseEndpointUrl(text);
  return "problem" in parsed ? parsed.problem : "";
}

describe("the name of a BoundEndpoint", () => {
  // As Python's uuid.uuid5(uuid.NAMESPACE_URL, url) has them.
  test.for([
    ["http://billing.default:80", "ngrok-f15153e8-4a7b-5aee-bfba-f4ef2304f014"],
    ["tcp://db.prod:5432", "ngrok-59461941-bcb4-50e8-ab47-7eed24190e07"],
  ] as const)("%s is %s", ([url, name], { expect }) => {
    expect(boundEndpointName(url)).toBe(name);
  });
});

describe("the name of a Domain", () => {
  test.for([
    ["app.example.com", "app-example-com"],
    ["*.example.com", "wildcard-example-com"],
    ["App.Example.com", "app-example-com"],
  ] as const)("%s is %s", ([given, name], { expect }) => {
    expect(domainName(given)).toBe(name);
  });

  test("can be another host's too, and then the distinct names differ", () => {
    expect(domainName("a-b.com")).toBe(domainName("a.b.com"));
    expect(distinctDomainName("a-b.com")).not.toBe(distinctDomainName("a.b.com"));
    expect(distinctDomainName("A.b.com")).toBe(distinctDomainName("a.b.com"));
  });

  test("is one that Kubernetes takes, however long the host", () => {
    fc.assert(
      fc.property(fc.oneof(host, fc.string({ maxLength: 400 })), (any) => {
        for (const name of [domainName(any), distinctDomainName(any)]) {
          expect(name).toMatch(subdomain);
          expect(name.length).toBeLessThanOrEqual(253);
        }
      }),
    );
  });
});

describe("a name made from any text", () => {
  test.for([
    ["web.shop", "web.shop"],
    ["*.Example.COM", "wildcard.example.com"],
    ["--a__b--", "a-b"],
    ["a.-b..c", "a.b.c"],
    ["", "default"],
    ["***", "wildcardwildcardwildcard"],
    ["???", "default"],
  ] as const)("%j is %s", ([text, name], { expect }) => {
    expect(kubernetesName(text)).toBe(name);
  });

  test("that had to be cut keeps its first 54 characters and says by 8 digits which one it was", () => {
    const long = "a".repeat(64);
    // To the letter: objects of earlier releases are found under such names.
    expect(kubernetesName(long)).toBe(`${"a".repeat(54)}-ffe054fe`);
    expect(kubernetesName(long)).not.toBe(kubernetesName(`${long}a`));
  });

  test("is cut where it is cut: a dash there stays, a dot does not", () => {
    expect(kubernetesName(`${"a".repeat(53)}-${"b".repeat(20)}`)).toBe(`${"a".repeat(53)}--af3ec493`);
    expect(kubernetesName(`${"a".repeat(53)}.${"b".repeat(20)}`)).toBe(`${"a".repeat(53)}-faf921a0`);
  });

  test("is cut by what became of the text: a wildcard's long name has the hash of the name, not of the star", () => {
    const rest = `.${"a".repeat(62)}.com`;
    expect(kubernetesName(`*${rest}`)).toBe(kubernetesName(`wildcard${rest}`));
  });

  test("that is taken is told apart by a hash of what is unlike", () => {
    expect(distinctName("edge.shop-web", "https://web")).toBe("edge.shop-web-c1ac4f19");
    expect(distinctName("a".repeat(63), "x")).toBe(`${"a".repeat(54)}-2d711642`);
    expect(distinctName("web", "http://web")).not.toBe(distinctName("web", "https://web"));
  });

  test("is one that Kubernetes takes, and a good name stays as it is", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        const name = kubernetesName(text);
        expect(name).toMatch(subdomain);
        expect(name.length).toBeLessThanOrEqual(63);
        expect(kubernetesName(name)).toBe(name);
      }),
    );
  });
});

describe("the URL of an endpoint", () => {
  test.for([
    ["https://app.example.com", "https", "app.example.com", 443],
    ["http://app.example.com:8080", "http", "app.example.com", 8080],
    ["app.example.com", "http", "app.example.com", 80],
    ["app.example.com:8080", "http", "app.example.com", 8080],
    ["HTTPS://*.Example.com/", "https", "*.example.com", 443],
    ["tcp://1.tcp.ngrok.io:12345", "tcp", "1.tcp.ngrok.io", 12_345],
    ["tls://db.example.com", "tls", "db.example.com", 443],
    ["tls://db.example.com:9000", "tls", "db.example.com", 9000],
    ["tls://db.internal:11000", "tls", "db.internal", 11_000],
    [" https://app.example.com ", "https", "app.example.com", 443],
  ] as const)("%s is understood", ([text, scheme, name, number], { expect }) => {
    expect(parseEndpointUrl(text)).toEqual({ url: { scheme, host: name, port: number } });
  });

  test.for([
    ["", "the URL is empty: write one like https://app.example.com"],
    ["https://", '"https://" names no host: write one like https://app.example.com'],
    ["http://:8080", '"http://:8080" names no host: write one like http://app.example.com'],
    ["tcp://", '"tcp://" names no host: write one like tcp://1.tcp.ngrok.io:12345'],
    ["tls://", '"tls://" names no host: write one like tls://app.example.com'],
    ["tcp://1.tcp.ngrok.io", '"tcp://1.tcp.ngrok.io" names no port: write tcp://1.tcp.ngrok.io:<port>'],
    [
      "ftp://a.example.com",
      'the scheme of "ftp://a.example.com" is not known: use https://, http://, tls:// or tcp://',
    ],
    [
      "https://a.example.com:99999",
      'the port of "https://a.example.com:99999" is not valid: use a number from 1 to 65535',
    ],
    ["https://a.example.com:0", 'the port of "https://a.example.com:0" is not valid: use a number from 1 to 65535'],
    ["https://a.example.com:", 'the port of "https://a.example.com:" is not valid: use a number from 1 to 65535'],
  ] as const)("%j is refused with the remedy", ([text, said], { expect }) => {
    expect(problem(text)).toBe(said);
  });

  test.for(["https://a b.com", "https://[::1]:80", "https://a.*.com", "https://-a.com", "https://a..com"])(
    "%s has no host that a name server could answer for",
    (text, { expect }) => {
      expect(problem(text)).toContain(`the host of ${JSON.stringify(text)} is not a host name`);
    },
  );

  test("a password in it is refused and not repeated", () => {
    expect(problem("https://me:s3cret@app.example.com")).toMatch(/user name or password/);
    expect(problem("https://me:s3cret@app.example.com")).not.toContain("s3cret");
  });

  test("of a Service with a long name is understood: internal hosts are asked of ngrok alone", () => {
    const name = `0a1b2-${"a".repeat(63)}-${"b".repeat(63)}-80.internal`;
    expect(parseEndpointUrl(`https://${name}`)).toEqual({ url: { scheme: "https", host: name, port: 443 } });
    expect(problem(`https://${"a".repeat(64)}.example.com`)).toContain("is not a host name");
  });

  test("means the same whether or not its default port is written", () => {
    fc.assert(
      fc.property(fc.constantFrom("http", "https", "tls"), host, (scheme, name) => {
        const number = scheme === "http" ? 80 : 443;
        expect(parseEndpointUrl(`${scheme}://${name}`)).toEqual(parseEndpointUrl(`${scheme}://${name}:${number}`));
      }),
    );
  });

  test("with scheme, host and port comes back in these parts", () => {
    fc.assert(
      fc.property(fc.constantFrom("http", "https", "tls", "tcp"), host, port, (scheme, name, number) => {
        expect(parseEndpointUrl(`${scheme}://${name}:${number}`)).toEqual({
          url: { scheme, host: name, port: number },
        });
      }),
    );
  });

  test("of any text is either understood or refused in one short line, never half of each", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ maxLength: 300 }), fc.webUrl()), (text) => {
        const parsed = parseEndpointUrl(text);
        const [said, name] = "problem" in parsed ? [parsed.problem, "refused"] : ["fine: yes", parsed.url.host];
        expect(said).toMatch(/^.{1,300}: .{1,300}$/);
        expect(name).toMatch(/^(\*\.)?[a-z0-9_]/);
      }),
      // URLs are slow to make: on a busy machine the usual hundred outlast a test's time.
      { numRuns: 50 },
    );
  });
});

test.for([
  ["a.internal", true],
  ["A.INTERNAL", true],
  ["internal", false],
  ["a.internal.example.com", false],
] as const)("%s is internal: %s", ([name, internal], { expect }) => {
  expect(isInternalHost(name)).toBe(internal);
});
