// `npm run images`: builds the images of the operator and of its hooks without a daemon; `list` names them.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { Command } from "commander";
import { parse } from "yaml";
import { command } from "#tools/command.ts";
import { buildImages, LOCAL_REGISTRY, TOP } from "./build-images.ts";

interface Flags {
  readonly base?: string;
  readonly arch: string;
  readonly out: string;
  readonly registry: string;
}

// npm changes into the project's folder; what a person types is relative to where they stand.
const place = (path: string): string => resolve(process.env["INIT_CWD"] ?? "", path);
const tell = (line: string): void => void process.stderr.write(`${line}\n`);

const program = new Command("images")
  .description(
    "Builds the images of the operator and of its hooks, without Docker and without root, as tars of OCI layouts.",
  )
  .option("--base <image>", "put the same layers on this image, pulled with crane; it needs glibc and libstdc++")
  .option("--arch <arch>", "x64 or arm64, whatever this machine is", process.arch)
  .option("--out <folder>", "where the archives and values.yaml go", join(TOP, "dist/images"))
  .option("--registry <host>", "the registry that values.yaml names", LOCAL_REGISTRY)
  .addHelpText(
    "after",
    `
The two images share their layers: base (libraries of this machine, users, certificate authorities), node, hooks and,
in the operator's alone, operator. The same sources give the same digests.

Into a cluster of \`npm run cluster\`, then the chart:
  npm run images
  npm run cluster -- load dist/images/operator.tar
  helm install ngrok-operator chart -f dist/images/values.yaml ...

Into a registry of yours:
  npm run images -- --registry registry.example.com/team
  mkdir operator && tar -xf dist/images/operator.tar -C operator
  crane push operator registry.example.com/team/operator:VERSION

On a base of yours, by digest so that the next build is the same:
  npm run images -- --base debian@sha256:...`,
  )
  .action(async (flags: Flags) => {
    const started = Date.now();
    const { values } = await buildImages({ ...flags, tell, out: place(flags.out) });
    tell(`built in ${((Date.now() - started) / 1000).toFixed(1)} s; for the chart: -f ${relative(place(""), values)}`);
  });
program
  .command("list")
  .description("print the references of the images that are built, one a line")
  .action(async () => await list(place(program.opts<Flags>().out)));

await program.parseAsync().catch((error: unknown) => {
  tell(`images: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
});

async function list(out: string): Promise<void> {
  const values = join(out, "values.yaml");
  if (!existsSync(values)) throw new Error(`no images are built in ${out}: npm run images`);
  const { image } = parse(await readFile(values, "utf8")) as { image: { registry: string } };
  for (const name of ["operator", "hooks"]) {
    const index = await command("tar", ["-xOf", join(out, `${name}.tar`), "index.json"]);
    const { manifests } = JSON.parse(index) as { manifests: { digest: string }[] };
    for (const { digest } of manifests) console.log(`${image.registry}/${name}@${digest}`);
  }
}
