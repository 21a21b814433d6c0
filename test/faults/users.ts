// The users of each case: an Ingress, a Gateway with its route and a LoadBalancer Service are served when the bad day begins,
// and however it ends, they are in the end what their authors wrote.
import { USERS_FEATURES } from "#scripts/demo/features.ts";
import { harmTo, now, usersObjects, write, type UsersObject, type UsersPlace } from "#scripts/demo/users.ts";
import type { Scene } from "#test/support/open-scene.ts";

type Place = Pick<Scene, "stage" | "namespace" | "namespaces">;

/** Creates them; resolves, when all are served, to what the API server answered to their authors. */
export async function openUsers(scene: Scene): Promise<UsersObject[]> {
  const { stage, signal } = scene;
  const place = placeOf(scene);
  const { namespace } = place;
  const before = await write(stage.kubectl, usersObjects(USERS_FEATURES, place));
  const made = ["cloudendpoint/shop.example.com", `cloudendpoint/edge.${namespace}-api.example.com`];
  const waits = [
    // kubectl waits for one at a time to be made.
    ...made.map((one) => ["--for=create", one]),
    ["--for=condition=Ready", ...made],
    ["--for=condition=Programmed", "gateway/edge"],
    ["--for=jsonpath={.status.loadBalancer.ingress[0].hostname}", "ingress/shop", "service/database"],
  ];
  for (const wait of waits) {
    await stage.kubectl.run(["-n", namespace, "wait", ...wait, "--timeout=150s"], { signal });
  }
  return before;
}

/** What became of them, in words; nothing when they are as they were written. */
export async function usersHarm({ stage }: Scene, before: readonly UsersObject[]): Promise<string[]> {
  const looks = before.map(async (object) => harmTo(object, await now(stage.kubectl, object)));
  return (await Promise.all(looks)).flat();
}

/** Takes away what of theirs lies in no namespace. */
export async function leaveUsers(place: Place): Promise<void> {
  const { gatewayClass } = placeOf(place);
  await place.stage.kubectl.run(["delete", "gatewayclass", gatewayClass, "--ignore-not-found", "--wait=false"]);
}

/** A class of its own for each case: one of the case before may still be going. */
function placeOf({ namespace, namespaces: [at] }: Pick<Place, "namespace" | "namespaces">): UsersPlace {
  return { namespace: at, gatewayClass: namespace };
}
