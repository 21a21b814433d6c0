// Which image an OCI layout holds, and what is said when it holds none.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { layoutImage, push } from "./registry.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "layout-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const index = async (...manifests: unknown[]): Promise<void> => {
  await writeFile(join(folder, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
};

test.for([
  [undefined, "latest"],
  ["1.2.3", "1.2.3"],
  ["operator:1.2.3", "1.2.3"],
  ["registry.example/team/operator", "latest"],
] as const)("an image annotated %j has the tag %s", async ([name, tag]) => {
  await index({
    digest: "sha256:abc",
    ...(name !== undefined && { annotations: { "org.opencontainers.image.ref.name": name } }),
  });
  expect(await layoutImage(folder)).toEqual({ digest: "sha256:abc", tag });
});

test("a folder without an index, with none and with several images are refused by name", async () => {
  await expect(layoutImage(folder)).rejects.toThrow(/no OCI layout.*index\.json/);
  await index();
  await expect(layoutImage(folder)).rejects.toThrow("names 0 images");
  await index({ digest: "sha256:a" }, { digest: "sha256:b" });
  await expect(layoutImage(folder)).rejects.toThrow("names 2 images");
});

test("an archive that is not there is named, with what makes it", async () => {
  await expect(push("/bin", "registry:5000", join(folder, "no.tar"))).rejects.toThrow(
    /no\.tar: there is no such file.*npm run images/,
  );
});
