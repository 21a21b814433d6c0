// What we make ourselves comes into the world with our claim on, where the controller of its kind says so: no write after it,
// and no moment in which an object of ours is nobody's. The creation stands behind the same fence as the claim of an object
// that was there before; one that others made first is not touched by it, and is claimed as any other.
import { isOwnKind } from "#api/define-kind.ts";
import { claimOf } from "#api/keys.ts";
import { withClaim } from "#kube/finalizer.ts";
import { type Kind, type KubeObject, resourceName } from "#kube/kind.ts";
import type { Writer } from "#kube/writer.ts";
import { claims, type Controller, type LeaderController, type Surroundings } from "./define-controller.ts";

/** The writer whose creations are claimed as `controllers`, those at work, would claim them. */
export function claiming(writer: Writer, controllers: readonly Controller[], around: Surroundings): Writer {
  const holders = new Map(
    controllers.flatMap((one) =>
      !("sources" in one) && one.bornClaimed === true && isOwnKind(one.kind) ? [[resourceName(one.kind), one]] : [],
    ),
  );
  const claimed = <T extends KubeObject>(kind: Kind<T>, object: T): T => {
    const holder: LeaderController | undefined = holders.get(resourceName(kind));
    if (holder === undefined || holder.serves?.(object, around) === false || !claims(holder, object, around))
      return object;
    return withClaim(object, holder.claim?.(around.release) ?? claimOf(around.release));
  };
  return {
    ...writer,
    create: async (kind, object, signal) => await writer.create(kind, claimed(kind, object), signal),
  };
}
