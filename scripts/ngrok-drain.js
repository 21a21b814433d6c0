#!/usr/bin/env node
// ngrok-drain from a checkout, on whatever Node (18 or newer) the machine has: `npx ngrok-drain plan`, and under the names
// kubectl-ngrok_drain and kubectl_complete-ngrok_drain on PATH kubectl's plugin and its completion.
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../hooks/src/ngrok-drain/main.ts", import.meta.url));
const completes = basename(process.argv[1]).startsWith("kubectl_complete-");
process.argv.splice(2, 0, main, ...(completes ? ["__complete"] : []));
await import("./setup.js");
