// The program of the drain hook.
import process from "node:process";
import { runHook } from "../run-hook.ts";
import { drainHook } from "./hook.ts";

process.exitCode = await runHook(drainHook, process);
