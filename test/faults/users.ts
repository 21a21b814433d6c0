// The users of each case: an Ingress, a Gateway with its route and a LoadBalancer Service are served when the bad day begins,
// and however it ends, they are in the end what their authors wrote.
import { USERS_FEATURES } from "#scripts/demo/features.ts";
import { areServed } from "#scripts/demo/users-story.ts";
import { usersObjects, write, type UsersObject, type UsersPlace } from "#scripts/demo/users.ts";
import type { Scene } from "#test/support/open-scene.ts";

type Place = Pick<Scene, "stage" | "namespace" | "namespaces">;

/** Creates them; resolves, when all are served, to what the API server answered to their authors. */
export async function openUsers(scene: Scene): Promise<UsersObject[]> {
  const { kubectl } = scene.stage;
  const place = placeOf(scene);
  const before = await write(kubectl, usersObjects(USERS_FEATURES, place));
  await areServed(kubectl, USERS_FEATURES, place, scene.signal);
  return before;
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
