// What is said of an object for which something threw: enough to find the bug, and nothing of what the object says.
import { keyOf, refOf } from "#kube/kind.ts";
import { asError } from "#wire/errors.ts";
import type { Stumbled } from "./cache.ts";
import type { Log } from "./log.ts";

export function tellStumbled(log: Log): Stumbled {
  return ({ kind }, object, error) => {
    const { name: err, message, stack = "" } = asError(error);
    // A message may repeat the object's words.
    const at = /^\s+at .*$/m.exec(stack.replace(message, ""))?.[0].trim();
    const what = { object: `${kind} ${keyOf(refOf(object))}`, err, at };
    log.error(what, "something is left undone for this object, which is a bug: please report it; all others go on");
  };
}
