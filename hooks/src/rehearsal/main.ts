// The program of the rehearsal hook.
import process from "node:process";
import { runHook } from "../run-hook.ts";
import { rehearsalHook } from "./hook.ts";

process.exitCode = await runHook(rehearsalHook, process);
