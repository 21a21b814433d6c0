// What `--with` may name: objects of users that become endpoints, and ways on which requests go through the operator's pods.

/** Each is an object of a user's own. */
export const USERS_FEATURES = ["ingress", "gateway", "service"] as const;
export type UsersFeature = (typeof USERS_FEATURES)[number];

/** Each is a way, with the pod that serves it: into the cluster, and out of it. */
export const WAYS = ["agent", "bindings"] as const;
export type Way = (typeof WAYS)[number];

export interface Features {
  readonly users: readonly UsersFeature[];
  readonly ways: readonly Way[];
}

const FEATURES = [...USERS_FEATURES, ...WAYS];
export const LIST = FEATURES.join(",");
export const NO_FEATURES: Features = { users: [], ways: [] };

/** @param text as a person types it, `ingress,agent`. Throws an error that names what is no feature. */
export function featuresOf(text: string): Features {
  const asked = text.split(",").map((one) => one.trim());
  const unknown = asked.filter((one) => !FEATURES.some((feature) => feature === one));
  if (unknown.length > 0) {
    const names = unknown.map((one) => `"${one}"`).join(", ");
    throw new Error(
      `${names} is none of ${FEATURES.join(", ")}: name one or more, with commas between them, as in --with ingress,service.`,
    );
  }
  return {
    users: USERS_FEATURES.filter((feature) => asked.includes(feature)),
    ways: WAYS.filter((way) => asked.includes(way)),
  };
}

/** Throws when a real account cannot have them. */
export function refuseLive({ users, ways }: Features): void {
  // The addresses that Services get are not marked as the demo's, so it could not take them back.
  if (users.length > 0)
    throw new Error(
      "--with reserves hosts and addresses that the demo could not give back: leave out --live or --with",
    );
  if (ways.length > 0)
    throw new Error(
      `--with ${ways.join(",")} sends its requests through stand-ins, which know nothing of a real account: leave out --live or --with`,
    );
}
