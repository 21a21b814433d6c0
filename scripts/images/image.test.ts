import { execFileSync } from "node:child_process";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { archiveOf, architectureOf, assemble, type BaseImage, type Image, type ImageOptions } from "./image.ts";
import { blob, digestOf, makeLayer } from "./layer.ts";
import { file } from "./tar.ts";

const labels = { "org.opencontainers.image.title": "ngrok-operator" };
const hooks = await makeLayer("hooks", [file("app/hooks/drain.mjs", "drain()")]);
const operator = await makeLayer("operator", [file("app/api-manager.mjs", "manage()")]);

const anImage = (overrides: Partial<ImageOptions> = {}): Image =>
  assemble({ layers: [hooks, operator], user: 65532, labels, ...overrides });

const manifestOf = (image: Image): unknown => JSON.parse(image.manifest.content.toString());
const configOf = (image: Image): unknown =>
  JSON.parse(String(image.blobs.find(({ mediaType }) => mediaType.includes("config"))?.content));

describe("an image", () => {
  test("runs as a user that is not root, in /app, by Node", () => {
    expect(configOf(anImage({ command: ["/app/api-manager.mjs"] }))).toMatchObject({
      os: "linux",
      config: {
        User: "65532:65532",
        WorkingDir: "/app",
        Entrypoint: ["/usr/local/bin/node"],
        Cmd: ["/app/api-manager.mjs"],
      },
    });
  });

  test("names its layers as they are packed, and in the config as they are unpacked", () => {
    expect(manifestOf(anImage())).toMatchObject({
      layers: [hooks, operator].map(({ blob: { digest, content } }) => ({ digest, size: content.length })),
    });
    expect(configOf(anImage())).toMatchObject({
      rootfs: { diff_ids: [hooks, operator].map((layer) => digestOf(gunzipSync(layer.blob.content))) },
    });
  });

  test("bears its labels where a runtime and where a registry look for them", () => {
    expect(configOf(anImage())).toMatchObject({ config: { Labels: labels } });
    expect(manifestOf(anImage())).toMatchObject({ annotations: labels });
  });

  test("has the same digest when it is made again, and another one for another file", async () => {
    expect(anImage().digest).toBe(anImage().digest);
    const changed = await makeLayer("hooks", [file("app/hooks/drain.mjs", "drain(2)")]);
    expect(anImage({ layers: [changed, operator] }).digest).not.toBe(anImage().digest);
  });

  test("is for the architecture of the machine, and no other architecture passes for one", () => {
    expect(architectureOf("x64")).toBe("amd64");
    expect(() => architectureOf("s390x")).toThrow("this machine is s390x");
  });
});

describe("an image on a base", () => {
  const layer = {
    name: "base",
    blob: blob("application/vnd.oci.image.layer.v1.tar", Buffer.from("x")),
    diffId: "sha256:1",
  };
  const base: BaseImage = { name: "debian:12", digest: "sha256:d", layers: [layer], env: ["PATH=/bin", "LANG=C"] };

  test("keeps the base's layers below its own, and says whose they are", () => {
    expect(manifestOf(anImage({ base }))).toMatchObject({
      layers: [layer, hooks, operator].map((one) => ({ digest: one.blob.digest })),
      annotations: {
        "org.opencontainers.image.base.name": "debian:12",
        "org.opencontainers.image.base.digest": "sha256:d",
      },
    });
  });

  test("keeps the base's environment, but not its user", () => {
    expect(configOf(anImage({ base }))).toMatchObject({
      config: { User: "65532:65532", Env: ["PATH=/bin", "LANG=C", "NODE_ENV=production"] },
    });
  });
});

describe("an archive", () => {
  const inside = (path: string): Buffer =>
    execFileSync("tar", ["-xOf", "-", path], { input: archiveOf(anImage(), "0.1.0") });

  test("is an OCI layout that names one image, its tag and its digest", () => {
    expect(JSON.parse(inside("oci-layout").toString())).toEqual({ imageLayoutVersion: "1.0.0" });
    expect(JSON.parse(inside("index.json").toString())).toMatchObject({
      manifests: [{ digest: anImage().digest, annotations: { "org.opencontainers.image.ref.name": "0.1.0" } }],
    });
  });

  test("holds the manifest and all that it names, each under its digest", () => {
    for (const { digest } of [anImage().manifest, ...anImage().blobs]) {
      expect(digestOf(inside(`blobs/${digest.replace(":", "/")}`))).toBe(digest);
    }
  });
});
