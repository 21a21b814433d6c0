// The exchange before the bytes: its messages against a codec that was written apart from ours, and every way in which
// the other side can be something else than ngrok.
import { duplexPair, type Duplex } from "node:stream";
import fc from "fast-check";
import { describe, test } from "vitest";
import { KnownError } from "#wire/errors.ts";
import { type ConnResponse, frameOf, readRequest, writeResponse } from "#test/support/ngrok-bindings/messages.ts";
import { type ConnRequest, decodeResponse, encodeRequest } from "./mux-messages.ts";
import { LONGEST_ANSWER, upgrade } from "./mux.ts";

const nobody = { uid: "", name: "", namespace: "", annotations: {} };
const client = {
  uid: "u-1",
  name: "client-ü",
  namespace: "apps",
  annotations: { "ngrok.com/a": "1", "k8s.ngrok.com/b": "" },
};
const ask: ConnRequest = { host: "web.shop", port: 443, podIdentity: client };

describe("the messages", () => {
  // Made by protobuf.js from the contract's schema.
  const golden = {
    known:
      "0a087765622e73686f7010bb031a3d0a03752d311209636c69656e742dc3bc1a046170707322100a0b6e67726f6b2e636f6d2f61120131" +
      "22130a0f6b38732e6e67726f6b2e636f6d2f621200",
    unknown: "0a0764622e6461746110ffff031a00",
    agreed: "0a0465705f31120568747470732a060a04736f6f6e2a00",
    refused: "1a0e4552525f4e47524f4b5f3332303022076f66666c696e65",
  };

  test("are those that another implementation writes and reads", ({ expect }) => {
    expect(encodeRequest(ask).toString("hex")).toBe(golden.known);
    expect(encodeRequest({ host: "db.data", port: 65_535, podIdentity: nobody }).toString("hex")).toBe(golden.unknown);
    const none = { endpointId: "", proto: "", errorCode: "", errorMessage: "", notices: [] };
    expect(decodeResponse(Buffer.from(golden.agreed, "hex"))).toEqual({
      ...none,
      endpointId: "ep_1",
      proto: "https",
      notices: ["soon", ""],
    });
    expect(decodeResponse(Buffer.from(golden.refused, "hex"))).toEqual({
      ...none,
      errorCode: "ERR_NGROK_3200",
      errorMessage: "offline",
    });
  });

  const words = fc.string({ unit: "grapheme", maxLength: 40 });
  const requests = fc.record({
    host: words,
    port: fc.nat(65_535),
    podIdentity: fc.record({ uid: words, name: words, namespace: words, annotations: fc.dictionary(words, words) }),
  });

  test("say any request", ({ expect }) => {
    fc.assert(
      fc.property(requests, ({ host, port, podIdentity }) => {
        expect(readRequest(encodeRequest({ host, port, podIdentity }))).toEqual({ host, port, pod: podIdentity });
      }),
    );
  });

  test("say any answer, whatever else a later ngrok puts into it", ({ expect }) => {
    const answers = fc.record({
      endpointId: words,
      proto: words,
      errorCode: words,
      errorMessage: words,
      notices: fc.array(words, { maxLength: 3 }),
    });
    fc.assert(
      fc.property(answers, (answer) => {
        expect(decodeResponse(writeResponse(answer))).toEqual(answer);
      }),
    );
  });

  test("of any bytes are either read or refused, and nothing else is thrown", ({ expect }) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decodeResponse(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("the exchange", () => {
  /** An ingress that answers with these pieces; `asked` is what it heard. */
  function ingress(...pieces: readonly Buffer[]): { stream: Duplex; asked: () => Buffer; far: Duplex } {
    const [stream, far] = duplexPair();
    const heard: Buffer[] = [];
    stream.on("error", () => undefined);
    far.on("data", (chunk: Buffer) => heard.push(chunk));
    far.once("data", () => {
      for (const piece of pieces) far.write(piece);
    });
    return { stream, asked: () => Buffer.concat(heard), far };
  }

  const answer = (said: ConnResponse): Buffer => frameOf(writeResponse(said));
  const soon = (): AbortSignal => AbortSignal.timeout(5000);

  async function failure(stream: Duplex, request = ask, signal = soon()): Promise<KnownError> {
    return await upgrade(stream, request, signal).then(
      () => Promise.reject(new Error("it was upgraded")),
      (error: unknown) => {
        if (error instanceof KnownError) return error;
        throw error;
      },
    );
  }

  test("leaves what the endpoint says first in the stream, however the bytes arrive", async ({ expect }) => {
    const bytes = Buffer.concat([
      answer({ endpointId: "ep_1", proto: "tcp", notices: ["soon"] }),
      Buffer.from("hello"),
    ]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 6 }), async (cuts) => {
        const edges = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
        const pieces = edges.slice(1).map((end, index) => bytes.subarray(edges[index], end));
        const { stream, asked, far } = ingress(...pieces.filter(({ length }) => length > 0));
        const upgraded = await upgrade(stream, ask, soon());
        expect(upgraded).toMatchObject({ endpointId: "ep_1", proto: "tcp", notices: ["soon"] });
        expect(readRequest(asked().subarray(2))).toEqual({ host: "web.shop", port: 443, pod: client });
        far.end();
        let rest = "";
        for await (const chunk of upgraded.stream) rest += String(chunk);
        expect(rest).toBe("hello");
      }),
      { numRuns: 50 },
    );
  });

  test("ends with ngrok's words when it refuses, and its code says whether that passes", async ({ expect }) => {
    const message = "The endpoint\nis offline.";
    const offline = await failure(ingress(answer({ errorCode: "ERR_NGROK_3200", errorMessage: message })).stream);
    expect(offline).toMatchObject({
      class: "invalid",
      code: "ERR_NGROK_3200",
      message: "binding upgrade failure: [ERR_NGROK_3200]: The endpoint is offline.",
      hint: expect.stringContaining("Check at ngrok that the endpoint is online"),
    });
    const passing = await failure(ingress(answer({ errorCode: "ERR_NGROK_20004", errorMessage: "later" })).stream);
    expect(passing).toMatchObject({ class: "transient", hint: expect.stringContaining("Check") });
    const wordless = await failure(ingress(answer({ errorMessage: "no" })).stream);
    expect(wordless.message).toBe("binding upgrade failure: []: no");
  });

  test("refuses what is no message, and one that is too long, without waiting for the rest of it", async ({
    expect,
  }) => {
    const garbage = await failure(ingress(frameOf(Buffer.from([0x0b, 0xff]))).stream);
    expect(garbage).toMatchObject({
      class: "transient",
      code: "UnreadableAnswer",
      hint: expect.stringContaining("proxy"),
    });
    const http = await failure(ingress(Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")).stream);
    expect(http.message).toContain(`${Buffer.from("HT").readUInt16LE()} bytes long`);
    const head = Buffer.alloc(2);
    head.writeUInt16LE(LONGEST_ANSWER + 1);
    expect((await failure(ingress(head).stream)).message).toContain(`${LONGEST_ANSWER} are the most`);
  });

  test("says nothing when a request is longer than its length can say, and names the pod", async ({ expect }) => {
    const { stream, asked } = ingress();
    const annotations = { "ngrok.com/much": "x".repeat(65_600) };
    const error = await failure(stream, { ...ask, podIdentity: { ...client, annotations } });
    expect(error).toMatchObject({
      class: "invalid",
      code: "RequestTooLarge",
      hint: expect.stringContaining("Pod apps/client-ü"),
    });
    expect(asked()).toHaveLength(0);
    const room =
      65_535 -
      encodeRequest({ ...ask, podIdentity: { ...client, annotations: { "ngrok.com/much": "x".repeat(65_000) } } })
        .length;
    const most = { "ngrok.com/much": "x".repeat(65_000 + room) };
    const largest = ingress(answer({ endpointId: "ep_1" }));
    await upgrade(largest.stream, { ...ask, podIdentity: { ...client, annotations: most } }, soon());
    expect(largest.asked().readUInt16LE()).toBe(65_535);
  });

  test("ends when the other side ends, breaks off or never answers", async ({ expect }) => {
    for (const pieces of [[], [Buffer.from([7])], [Buffer.from([7, 0, 1])]]) {
      const { stream, far } = ingress(...pieces);
      far.once("data", () => far.end());
      expect(await failure(stream)).toMatchObject({ class: "transient", code: "CutOff" });
    }
    const broken = ingress();
    const reason = new Error("tlsv13 alert certificate required");
    broken.far.once("data", () => broken.stream.destroy(reason));
    expect(await failure(broken.stream)).toMatchObject({
      code: "CutOff",
      message: expect.stringContaining("alert certificate required"),
      hint: expect.stringContaining("certificate"),
    });
    const gone = new AbortController();
    const hanging = ingress();
    hanging.far.once("data", () => gone.abort(new Error("no answer in time")));
    await expect(upgrade(hanging.stream, ask, gone.signal)).rejects.toThrow("no answer in time");
    await expect(upgrade(ingress().stream, ask, AbortSignal.abort(new Error("too late")))).rejects.toThrow("too late");
  });
});
