// `helm test`: the uninstall rehearsed. A Job as the hooks' own, under Roles as theirs, looks at what they would meet and
// changes nothing: what would make the uninstall stick is known on the day of the install.
import type { Rule } from "#api/rbac.ts";
import { namesOf } from "#api/release.ts";
import { questionsOf } from "#drain/questions.ts";
import { roomFor, roomRights } from "#drain/room.ts";
import { Pod } from "#kube/kinds.ts";
import { reader } from "#kube/reader.ts";
import { KnownError } from "#wire/errors.ts";
import { cleanupHook } from "../cleanup/hook.ts";
import { defineHook, type HookResult, type HookWorld } from "../define-hook.ts";
import { drainHook } from "../drain/hook.ts";
import { environment, settingsOf } from "../environment.ts";
import type { World } from "../ngrok-drain/command.ts";
import { foresee } from "../ngrok-drain/plan.ts";
import { rehearsalLines } from "./page.ts";

/**
 * Those of both hooks, whose Roles are there on uninstall day alone: that Helm's user may make such Roles, and that the API
 * server grants what they say, is known only where they are made.
 */
const rights: readonly Rule[] = [...new Set([...drainHook.rbac, ...cleanupHook.rbac])];

export const rehearsalHook = defineHook({
  name: "rehearsal",
  phase: "test",
  weight: 0,
  summary: "Rehearses the uninstall for helm test: reads, asks, and changes nothing.",
  // The hooks themselves have begun by then, and need not ask what room there is.
  rbac: [...rights, ...roomRights],
  env: environment,
  run,
});

async function run(world: HookWorld<typeof environment>): Promise<HookResult> {
  const { RELEASE_NAME, POD_NAMESPACE } = world.env;
  const again = `helm test ${RELEASE_NAME} -n ${POD_NAMESPACE}`;
  try {
    return await rehearse(world, again);
  } catch (error) {
    world.signal.throwIfAborted();
    if (!(error instanceof KnownError)) throw error;
    world.say("refused", `the rehearsal could not look: ${error.message}`);
    if (error.hint !== undefined) world.say("remedy", error.hint);
    world.say("again", again);
    return { ok: false };
  }
}

async function rehearse(world: HookWorld<typeof environment>, again: string): Promise<HookResult> {
  const { connection, clock, signal, env } = world;
  const { release, policy, clusterWide, crdsGo, callsPerMinute } = settingsOf(env);
  const never = (): never => {
    throw new KnownError("invalid", "a rehearsal has nobody to talk to: this is a bug");
  };
  const view: World = {
    install: {
      release,
      policy,
      clusterWide,
      crdsGo,
      hook: true,
      helmSeconds: Number(env.HELM_TIMEOUT),
      apiUrl: env.NGROK_API_URL,
      callsPerMinute,
      apiKeyIn: { name: namesOf(release).credentials, key: environment.NGROK_API_KEY.key },
      inside: true,
      assumed: [],
    },
    connection,
    read: reader(connection),
    clock,
    signal,
    ngrok: async (fence) => await Promise.resolve(world.ngrok(fence)),
    answer: never,
    show: never,
    ask: never,
    tell: never,
    say: never,
  };
  const room = await roomBeside(view, env.POD_NAME);
  const forecast = await foresee(view, { rights, whose: "a hook's ServiceAccount", room });
  const planCommand = `kubectl -n ${release.namespace} exec deploy/${namesOf(release).manager} -- ngrok-drain plan`;
  const asked = questionsOf(rights, release, clusterWide).length;
  for (const line of rehearsalLines(forecast, { rights: asked, planCommand, again })) world.say(...line);
  return { ok: forecast.ready[forecast.policy] === "yes" };
}

/**
 * This pod was let in, so one of a hook would be now, when this one is gone. Where a second one would not, whatever else is
 * made until the uninstall takes its place.
 */
async function roomBeside({ read, install, signal }: World, name: string): Promise<readonly string[]> {
  const { release } = install;
  const pod = await read.get(Pod, { name, namespace: release.namespace }, signal);
  const containers = pod?.spec?.containers?.map(({ resources }) => resources ?? {});
  if (containers === undefined) return [];
  const tight = await roomFor(read, release, { containers, priorityClassName: pod?.spec?.priorityClassName }, signal);
  return tight.map(
    ({ reason, now, remedy }) =>
      `there is room for this pod and for no second one: ${reason}${now === "" ? "" : ` (${now})`}; what starts before the uninstall may take it. To be sure, ${remedy}`,
  );
}
