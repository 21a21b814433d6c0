// The program of the cleanup hook.
import process from "node:process";
import { runHook } from "../run-hook.ts";
import { cleanupHook } from "./hook.ts";

process.exitCode = await runHook(cleanupHook, process);
