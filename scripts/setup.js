// The entry of every npm script: brings node_modules up to package-lock.json, then runs a script with the project's
// own Node. Plain JavaScript without packages, since it runs on whatever Node (18 or newer) the machine has.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { connect } from "node:net";
import { constants, tmpdir } from "node:os";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = join(root, "node_modules", ".bin");
const lockFile = join(tmpdir(), `ngrok-operator-setup-${createHash("sha256").update(root).digest("hex").slice(0, 12)}`);

// stdout belongs to the script (`npm run -s cluster -- env` prints shell code), so all talk goes to stderr.
const tell = (line) => process.stderr.write(`${line}\n`);

function fail(line) {
  tell(line);
  process.exit(1);
}

/** The packages that package-lock.json asks for and node_modules does not hold; undefined when nothing is installed. */
function stale() {
  const installed = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(installed) || !existsSync(join(bin, "node"))) return undefined;
  const packages = (file) => JSON.parse(readFileSync(file, "utf8")).packages;
  const held = packages(installed);
  return Object.entries(packages(join(root, "package-lock.json")))
    .filter(
      ([path, { version, optional }]) => path !== "" && held[path]?.version !== version && !(optional && !held[path]),
    )
    .map(([path]) => path);
}

/** Whether something listens where npm will ask; npm itself would find out only after minutes of retries. */
function answers(registry) {
  const { hostname, port, protocol } = new URL(registry);
  return new Promise((done) => {
    const socket = connect({ host: hostname, port: Number(port) || (protocol === "http:" ? 80 : 443) });
    const end = (result) => {
      socket.destroy();
      done(result);
    };
    socket.setTimeout(800, () => end(false));
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
  });
}

function run(command, args, options) {
  return new Promise((done, lost) => {
    const child = spawn(command, args, { cwd: root, ...options });
    let output = "";
    child.stdout?.on("data", (chunk) => (output += chunk));
    child.once("error", lost);
    child.once("close", (code, signal) => done({ child, code, signal, output }));
  });
}

async function install(reason) {
  const started = Date.now();
  tell(`setup: npm ci (${reason}), about half a minute ...`);
  const settings = await run("npm", ["config", "list", "--json"], { stdio: ["ignore", "pipe", "ignore"] }).catch(() =>
    fail("setup: npm is not on PATH; install Node.js 18 or newer with npm"),
  );
  const config = JSON.parse(settings.output);
  const { registry } = config;
  const reached = config.proxy || config["https-proxy"] ? true : await answers(registry);
  if (!reached) tell(`setup: the npm registry ${new URL(registry).host} does not answer; npm's cache is all there is`);
  const flags = ["--no-audit", "--no-fund", "--loglevel=error", ...(reached ? [] : ["--offline", "--fetch-retries=0"])];
  const { code } = await run("npm", ["ci", ...flags], { stdio: ["ignore", 2, 2] });
  if (code !== 0) {
    fail(
      reached
        ? "setup: npm ci failed; its message stands above"
        : `setup: the packages are not in npm's cache: connect to ${registry} or set another by 'npm config set registry URL'`,
    );
  }
  tell(`setup: npm ci done in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

/** Runs `work` while no other setup of this checkout does; a lock whose owner is gone counts for nothing. */
async function alone(work) {
  const deadline = Date.now() + 600_000;
  for (let told = false; ;) {
    try {
      const file = openSync(lockFile, "wx");
      writeSync(file, String(process.pid));
      closeSync(file);
      process.once("exit", () => rmSync(lockFile, { force: true }));
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const owner = Number(existsSync(lockFile) && readFileSync(lockFile, "utf8")) || 0;
    if (owner !== 0 && !alive(owner)) rmSync(lockFile, { force: true });
    else {
      if (!told) tell(`setup: waiting for npm ci of process ${owner}`);
      told = true;
      if (Date.now() > deadline) fail(`setup: process ${owner} still holds ${lockFile}; end it or remove the file`);
      await new Promise((done) => setTimeout(done, 200));
    }
  }
  try {
    return await work();
  } finally {
    rmSync(lockFile, { force: true });
  }
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** Runs the wanted program as if it had been called itself: its streams, its signals, its end. */
async function become(command, args) {
  const child = spawn(command, args, {
    // What is called from anywhere (scripts/ngrok-drain.js) is given as an absolute path, and its files are the caller's.
    cwd: isAbsolute(args[0] ?? "") ? process.cwd() : root,
    stdio: "inherit",
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ""}` },
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    // A terminal sends ^C to the child as well; a second one would mean "at once" to it.
    process.on(signal, () => (signal === "SIGINT" && process.stdin.isTTY ? undefined : child.kill(signal)));
  }
  child.once("error", (error) => fail(`setup: ${command} does not start: ${error.message}`));
  child.once("exit", (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1)));
}

const [first, ...rest] = process.argv.slice(2);
if (Number(process.versions.node.split(".")[0]) < 18)
  fail(`setup: Node ${process.version} is too old; install 18 or newer`);
if (first === undefined || (first === "--bin" && rest.length === 0))
  fail("usage: node scripts/setup.js SCRIPT.ts|--bin NAME [ARG...]");

const missing = stale();
if (missing === undefined || missing.length > 0) {
  await alone(async () => {
    const now = stale();
    if (now === undefined) await install("node_modules is missing");
    else if (now.length > 0)
      await install(
        `package-lock.json has changed: ${now[0].replace(/^node_modules\//, "")}${now.length > 1 ? ` and ${now.length - 1} more` : ""}`,
      );
  });
}
if (first === "--bin") await become(join(bin, rest[0]), rest.slice(1));
else await become(join(bin, "node"), [first, ...rest]);
