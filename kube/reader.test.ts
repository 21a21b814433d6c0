// What a list or a discovery may and may not be taken for: an unknown is never an empty page, and never "absent".
import { describe, expect, test } from "vitest";
import { testClock } from "#test/support/clock.ts";
import { KnownError } from "#wire/errors.ts";
import type { Connection, KubeRequest } from "./connection.ts";
import { served } from "./discovery.ts";
import type { Kind, KubeObject } from "./kind.ts";
import { reader, type ListOptions } from "./reader.ts";

const { signal } = new AbortController();
const Widget: Kind = { group: "example.com", versions: ["v1"], kind: "Widget", plural: "widgets", namespaced: true };
const Route: Kind = { ...Widget, kind: "Route", plural: "routes", versions: ["v1", "v1alpha2"] };

const notFound = new KnownError("gone", "404", { status: 404, code: "NotFound" });
const forbidden = new KnownError("invalid", "403", { status: 403, code: "Forbidden" });
const unavailable = new KnownError("transient", "503", { status: 503 });

type Answer = object | KnownError;

/** Answers by path; what is not listed is not there. A function decides by the request. */
function server(answers: Readonly<Record<string, Answer | ((request: KubeRequest) => Answer)>>) {
  const asked: string[] = [];
  const connection: Connection = {
    server: "https://scripted",
    request: async (request) => {
      asked.push(request.path);
      const answer = answers[request.path] ?? notFound;
      const said = typeof answer === "function" ? (answer as (request: KubeRequest) => Answer)(request) : answer;
      if (said instanceof KnownError) throw said;
      return said;
    },
    watch: () => {
      throw new Error("nobody watches here");
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
  return { connection, asked };
}

function group(...versions: string[]): object {
  return { versions: versions.map((version) => ({ groupVersion: `example.com/${version}`, version })) };
}

function resources(...plurals: string[]): object {
  return { resources: plurals.map((name) => ({ name })) };
}

async function allPages(
  connection: Connection,
  kind: Kind,
  options: ListOptions = {},
): Promise<(readonly KubeObject[])[]> {
  const all: (readonly KubeObject[])[] = [];
  for await (const page of reader(connection).pages(kind, options, signal)) all.push(page.items);
  return all;
}

const path = "/apis/example.com/v1/widgets";

describe("a list", () => {
  test("that is not found is no page, if discovery agrees that the kind is not served", async () => {
    const { connection, asked } = server({});
    expect(await allPages(connection, Widget)).toEqual([]);
    expect(asked).toEqual([path, "/apis/example.com"]);
  });

  test("that is not found although the kind is served is unknown (F9)", async () => {
    const { connection } = server({ "/apis/example.com": group("v1"), "/apis/example.com/v1": resources("widgets") });
    await expect(allPages(connection, Widget)).rejects.toMatchObject({
      class: "transient",
      message: expect.stringContaining("widgets.example.com") as string,
    });
  });

  test("that is not found while discovery fails is unknown", async () => {
    await expect(allPages(server({ "/apis/example.com": unavailable }).connection, Widget)).rejects.toBe(unavailable);
  });

  test.for([forbidden, unavailable])("that fails ($message) is unknown (F9)", async (failure) => {
    await expect(allPages(server({ [path]: failure }).connection, Widget)).rejects.toBe(failure);
  });

  test("without items is unknown", async () => {
    const { connection } = server({ [path]: { metadata: { resourceVersion: "1" }, items: null } });
    await expect(allPages(connection, Widget)).rejects.toMatchObject({ code: "Unreadable" });
  });

  test("whose page is too large for us is asked for in smaller ones, and none is left out", async () => {
    const limits: unknown[] = [];
    const { connection } = server({
      [path]: ({ query }) => {
        limits.push(query?.["limit"]);
        if (Number(query?.["limit"]) > 10) return new KnownError("invalid", "too large", { code: "AnswerTooLarge" });
        const last = query?.["continue"] === "next";
        const name = last ? "b" : "a";
        return {
          items: [{ metadata: { name } }],
          metadata: { resourceVersion: "1", ...(last ? {} : { continue: "next" }) },
        };
      },
    });
    const pages = await allPages(connection, Widget, { limit: 100 });
    expect(pages.flat().map((each) => [each.kind, each.metadata.name])).toEqual([
      ["Widget", "a"],
      ["Widget", "b"],
    ]);
    expect(limits).toEqual([100, 25, 6, 6]);
  });

  test("asks for its namespace and selectors, and never for a cached answer (W14)", async () => {
    const requests: KubeRequest[] = [];
    const { connection } = server({
      "/apis/example.com/v1/namespaces/ngrok/widgets": (request) => {
        requests.push(request);
        return { items: [], metadata: { resourceVersion: "1" } };
      },
    });
    await allPages(connection, Widget, { namespace: "ngrok", labelSelector: "a=b" });
    expect(requests[0]?.query).toMatchObject({ labelSelector: "a=b", limit: 200 });
    expect(requests[0]?.query).not.toHaveProperty("resourceVersion");
  });
});

describe("a single object", () => {
  test("needs a name and a namespace: an empty one would mean another path", async () => {
    const read = reader(server({}).connection);
    await expect(read.get(Widget, { name: "a" }, signal)).rejects.toMatchObject({ class: "invalid" });
    await expect(read.get(Widget, { name: "", namespace: "ngrok" }, signal)).rejects.toMatchObject({
      class: "invalid",
    });
  });

  test("that may not be read is unknown, not missing", async () => {
    const { connection } = server({ "/apis/example.com/v1/namespaces/ngrok/widgets/a": forbidden });
    await expect(reader(connection).get(Widget, { name: "a", namespace: "ngrok" }, signal)).rejects.toBe(forbidden);
  });
});

describe("discovery", () => {
  const both = { "/apis/example.com": group("v1", "v1alpha2"), "/apis/example.com/v1": resources("widgets") };

  test("finds the best version in which the group serves this very kind (F9)", async () => {
    const { connection } = server({ ...both, "/apis/example.com/v1alpha2": resources("routes") });
    expect(await served(connection, Route, signal)).toBe("v1alpha2");
  });

  test("is asked once by many at a time and for a while, and anew after that or when wanted", async () => {
    const clock = testClock();
    const { connection, asked } = server({ ...both, "/apis/example.com/v1alpha2": resources() });
    await Promise.all([1, 2, 3].map(async () => await served(connection, Route, signal, { clock })));
    expect(asked).toHaveLength(3);
    await served(connection, Route, signal, { clock });
    expect(asked).toHaveLength(3);
    await served(connection, Route, signal, { clock, fresh: true });
    expect(asked).toHaveLength(6);
    await clock.advance(10_000);
    await served(connection, Route, signal, { clock });
    expect(asked).toHaveLength(9);
  });

  test("that fails is not remembered", async () => {
    let isDown = true;
    const { connection } = server({ "/apis/example.com": () => (isDown ? unavailable : group()) });
    await expect(served(connection, Route, signal)).rejects.toBe(unavailable);
    isDown = false;
    expect(await served(connection, Route, signal)).toBe("absent");
  });

  test("one caller's abort ends its own wait and nobody else's", async () => {
    const { connection } = server({ ...both, "/apis/example.com/v1alpha2": resources("routes") });
    const stop = new AbortController();
    const first = served(connection, Route, stop.signal);
    const second = served(connection, Route, signal);
    stop.abort(new Error("stopped"));
    await expect(first).rejects.toThrow("stopped");
    expect(await second).toBe("v1alpha2");
  });
});
