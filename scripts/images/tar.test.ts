import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { file, folder, link, tar, withFolders } from "./tar.ts";

/** What GNU tar, which has never seen our code, reads from an archive. */
function listed(archive: Buffer): string[] {
  const lines = execFileSync("tar", ["--full-time", "--utc", "--numeric-owner", "-tvf", "-"], { input: archive });
  return lines
    .toString()
    .trim()
    .split("\n")
    .map((line) => line.replaceAll(/ +/g, " "));
}

describe("a tar archive", () => {
  test("is read by tar with the modes, owners and times that were asked for", () => {
    const archive = tar([
      folder("home", 0o755),
      folder("home/nonroot", 0o700, 65532),
      file("home/run", "#!", 0o755),
      link("lib", "usr/lib"),
      folder("tmp", 0o1777),
    ]);
    expect(listed(archive)).toEqual([
      "drwxr-xr-x 0/0 0 1970-01-01 00:00:00 home/",
      "drwx------ 65532/65532 0 1970-01-01 00:00:00 home/nonroot/",
      "-rwxr-xr-x 0/0 2 1970-01-01 00:00:00 home/run",
      "lrwxrwxrwx 0/0 0 1970-01-01 00:00:00 lib -> usr/lib",
      "drwxrwxrwt 0/0 0 1970-01-01 00:00:00 tmp/",
    ]);
  });

  test("gives back the bytes of a file, whatever their number", () => {
    for (const size of [0, 1, 511, 512, 513, 70_000]) {
      const content = Buffer.alloc(size, "abc");
      const back = execFileSync("tar", ["-xOf", "-", "f"], { input: tar([file("f", content)]) });
      expect(back.equals(content)).toBe(true);
    }
  });

  test("holds a path of up to 255 bytes and refuses a longer one", () => {
    const long = `${"a".repeat(120)}/${"b".repeat(90)}`;
    expect(listed(tar([file(long, "x")]))[0]).toContain(long);
    expect(() => tar([file("a".repeat(101), "x")])).toThrow("is too long for a tar archive");
  });

  test("does not depend on the order in which its files were found", () => {
    const [a, b, c] = [file("x/a", "1"), file("x/b", "2"), file("y", "3")];
    expect(tar(withFolders([a, b, c])).equals(tar(withFolders([c, b, a])))).toBe(true);
  });
});

describe("the folders that lead to a file", () => {
  test("are added once, before the file", () => {
    const paths = withFolders([file("app/hooks/drain.mjs", ""), file("app/main.mjs", "")]).map(({ path }) => path);
    expect(paths).toEqual(["app", "app/hooks", "app/hooks/drain.mjs", "app/main.mjs"]);
  });

  test("keep the mode that they were given", () => {
    expect(withFolders([file("tmp/x", ""), folder("tmp", 0o1777)])[0]?.mode).toBe(0o1777);
  });

  test("cannot hide that a file is there twice", () => {
    expect(() => withFolders([file("a", "1"), file("a", "2")])).toThrow("a is in the archive twice");
  });
});
