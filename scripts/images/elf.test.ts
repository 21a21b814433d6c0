// What a program needs, read from its file, is what this machine's own loader finds for it.
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { expect, test } from "vitest";
import { neededBy } from "./elf.ts";
import { librariesOf } from "./runtime.ts";

test("the libraries that Node names, and those that they name, are those of ldd", async () => {
  const paths = new Map((await librariesOf(process.execPath)).map((path) => [basename(path), path]));
  const found = new Set<string>();
  const find = async (program: string): Promise<void> => {
    for (const name of neededBy(await readFile(program)).filter((one) => !found.has(one))) {
      found.add(name);
      await find(paths.get(name) ?? "");
    }
  };
  await find(process.execPath);
  expect([...found].toSorted()).toEqual([...paths.keys()].toSorted());
});

test("what is no program is refused", () => {
  expect(() => neededBy(Buffer.from("#!/bin/sh\n"))).toThrow("no 64-bit little-endian ELF file");
  expect(() => neededBy(Buffer.alloc(64))).toThrow("no 64-bit little-endian ELF file");
});
