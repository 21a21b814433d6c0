// `ngrok-drain policy Retain`: the one relaxation of a drain, before or after its mark; the same patch as with kubectl.
import { VERSION } from "#api/version.ts";
import { upgradeCommand } from "#drain/others.ts";
import { parseState, stateRef } from "#drain/state.ts";
import { ConfigMap } from "#kube/kinds.ts";
import { KnownError } from "#wire/errors.ts";
import { type Asked, type DrainCommand, EXIT, type World } from "./command.ts";

export const policyCommand: DrainCommand = {
  name: "policy",
  argument: ["<policy>", "the policy to hold from now on", ["Retain"]],
  summary:
    "Let the drain, the running one or the next, keep everything at ngrok. There is no way from Retain to Delete.",
  examples: [["policy Retain", "a Delete that cannot end, for want of a key, ends by keeping what is at ngrok"]],
  exits: "0 Retain holds, 2 refused, 1 error",
  run,
};

async function run(world: World, { argument }: Asked): Promise<number> {
  const { install, read, connection, signal } = world;
  const { release } = install;
  const { name, namespace } = stateRef(release);
  if (argument !== "Retain") {
    const why =
      argument === "Delete"
        ? "a drain is only ever relaxed, from Delete to Retain: what was promised to stay is not deleted afterwards"
        : `${argument ?? "nothing"} is no policy`;
    const remedy = `for the next uninstall: ${upgradeCommand(release, VERSION, "drainPolicy=Delete")}, where CHART is the chart`;
    world.answer({ command: "policy", release, ok: false, reason: why, remedy }, [
      `refused   ${why}. Nothing was changed`,
      ...(argument === "Delete" ? [`remedy    ${remedy}`] : ["remedy    ngrok-drain policy Retain"]),
    ]);
    return EXIT.refused;
  }
  const object = await read.get(ConfigMap, { name, namespace }, signal);
  if (object === undefined) {
    throw new KnownError("invalid", `the drain state, ConfigMap ${namespace}/${name}, is not there`, {
      hint: `helm upgrade brings it back; or kubectl -n ${namespace} create configmap ${name}, then run this again`,
    });
  }
  const before = parseState(object);
  await connection.request({
    method: "PATCH",
    path: `/api/v1/namespaces/${namespace}/configmaps/${name}`,
    contentType: "application/merge-patch+json",
    body: { data: { policy: "Retain" } },
    signal,
  });
  const when = before.phase === "Draining" ? "the running drain" : "the next drain";
  world.answer({ command: "policy", release, ok: true, policy: "Retain", phase: before.phase }, [
    before.phase === "Drained"
      ? "policy    Retain; this install is drained already, only the cleanup hook still reads it"
      : `policy    ${when} follows Retain: what is at ngrok stays`,
    ...(before.phase === "Draining" ? ["next      objects that were held for ngrok are freed in the next pass"] : []),
  ]);
  return EXIT.ok;
}
