// Frames of muxado as bytes, however the network cuts them.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeFrame, flag, FrameDecoder, frameType, word, type FrameHead } from "./frames.ts";

interface Seen {
  readonly head: FrameHead;
  body: Buffer;
  done: boolean;
}

function decode(pieces: readonly Buffer[]): Seen[] {
  const seen: Seen[] = [];
  const decoder = new FrameDecoder({
    data(head, piece, first, last) {
      if (first) seen.push({ head, body: Buffer.from(piece), done: last });
      else {
        const open = seen.at(-1);
        if (open !== undefined) Object.assign(open, { body: Buffer.concat([open.body, piece]), done: last });
      }
    },
    control: (head, body) => void seen.push({ head, body: Buffer.from(body), done: true }),
  });
  for (const piece of pieces) decoder.take(piece);
  return seen;
}

test("an agent's first words are read as the SDK was seen to say them", () => {
  const said = Buffer.from("0000041200000003ffffffff" + "000004120000000500000000", "hex");
  expect(decode([said]).map(({ head, body }) => [head.streamId, head.flags, body.toString("hex")])).toEqual([
    [3, flag.syn, "ffffffff"],
    [5, flag.syn, "00000000"],
  ]);
});

test("what is cut anywhere is put together again", () => {
  const frame = fc.oneof(
    fc.record({
      type: fc.constant(frameType.data),
      flags: fc.integer({ min: 0, max: 3 }),
      id: fc.integer({ min: 1, max: 0x7fffffff }),
      body: fc.uint8Array({ maxLength: 300 }),
    }),
    fc.record({
      type: fc.constantFrom(frameType.rst, frameType.wndinc),
      flags: fc.constant(0),
      id: fc.integer({ min: 1, max: 0x7fffffff }),
      body: fc.integer({ min: 0, max: 0x7fffffff }).map((value) => new Uint8Array(word(value))),
    }),
  );
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 40 })), (frames, cuts) => {
      const all = Buffer.concat(frames.map(({ type, flags, id, body }) => encodeFrame(type, flags, id, body)));
      const pieces = [];
      let at = 0;
      for (const cut of cuts) {
        pieces.push(all.subarray(at, at + cut));
        at += cut;
      }
      const seen = decode([...pieces, all.subarray(at)]);
      expect(seen.map(({ head, body, done }) => [head.type, head.flags, head.streamId, [...body], done])).toEqual(
        frames.map(({ type, flags, id, body }) => [type, flags, id, [...body], true]),
      );
    }),
  );
});

describe("what no muxado says is refused", () => {
  test.for([
    ["a type that there is not", "000004f000000002deadbeef"],
    ["data on stream 0", "0000011000000000ff"],
    ["GOAWAY on a stream", "0000083000000001"],
    ["a control frame of megabytes", "4000002000000001"],
  ] as const)("%s", ([, hex]) => {
    expect(() => decode([Buffer.from(hex, "hex")])).toThrow(RangeError);
  });
});
