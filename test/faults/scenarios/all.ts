// Every scenario of the matrix, in the order of its table.
import type { Scenario } from "../scenario.ts";
import { apiServer } from "./api-server.ts";
import { kills } from "./kills.ts";
import { neighbours } from "./neighbours.ts";
import { ngrok } from "./ngrok.ts";
import { pods } from "./pods.ts";
import { releases } from "./releases.ts";
import { twoAtOnce } from "./two-at-once.ts";
import { ways } from "./ways.ts";

export const scenarios: readonly Scenario[] = [
  ...kills,
  ...twoAtOnce,
  ...ngrok,
  ...apiServer,
  ...neighbours,
  ...pods,
  ...releases,
  ...ways,
];
