// Every known way in which an uninstall goes wrong, by number. A test that answers one carries its number at the end of
// its name, and docs/uninstall-matrix.md lists both.

export interface KnownFailure {
  /** F: a way to get stuck or to lose data. W: a weakness of a drain that asks others to help. E: a state to start from. */
  readonly id: `${"F" | "W" | "E"}${number}`;
  /** One sentence, for a reader who has nothing but this repository. */
  readonly what: string;
}

export const FAILURES: readonly KnownFailure[] = [
  {
    id: "F1",
    what: "Custom resources are deleted in a crowd without a drain (`--no-hooks`, `kubectl delete crd`, another release that owns the CRDs), and the living operator destroys at ngrok what Retain promised to keep.",
  },
  {
    id: "F2",
    what: "Helm takes the pre-delete hook for a success although nothing was drained: its Job was deleted, or a second uninstall replaced it.",
  },
  {
    id: "F3",
    what: "The drain waits for an acknowledgement of a replica that lives but no longer hears anything, so it waits for ever.",
  },
  {
    id: "F4",
    what: "A replica that starts reads an old, unmarked drain state from a lagging API server and adds finalizers behind the driver.",
  },
  {
    id: "F5",
    what: "Whether a writer lives is judged by comparing its clock with ours: a clock that is wrong starts the drain over a living writer, or never.",
  },
  {
    id: "F6",
    what: "A refused uninstall leaves the operator drained, or prints commands that do not work when typed.",
  },
  {
    id: "F7",
    what: "A cancelled drain begins again by itself, because the KubernetesOperator was deleted first and a deletion cannot be taken back.",
  },
  {
    id: "F8",
    what: "Two policies hold at once: the hook keeps an object at ngrok while the operator, restarted with other flags, deletes the next one.",
  },
  {
    id: "F9",
    what: "The drain counts zero objects because it may not list them, lists another version, looks into another namespace, or has the feature switched off.",
  },
  {
    id: "F10",
    what: "The hook's own pod or rights cannot come to be: a name over 63 characters, rights in a watched namespace that is gone, a credentials Secret that is gone.",
  },
  {
    id: "F11",
    what: "The mark is wiped in the middle of a drain by `helm upgrade --force`, `kubectl replace` or a deletion, and the operator works again.",
  },
  {
    id: "F12",
    what: "A writer that was asleep wakes up and its queued write arrives after somebody else has taken over.",
  },
  {
    id: "F13",
    what: "A driver lives and renews but gets nowhere (hung, or told to wait an hour), and nobody takes over or says so.",
  },
  {
    id: "F14",
    what: "The check for what is left never ends: a foreign finalizer, a GitOps tool that re-creates objects or puts our finalizer back, a webhook that refuses every patch.",
  },
  {
    id: "F15",
    what: "Under Delete with a key that may not delete there is no way out: nothing may be let go, and nothing can be deleted.",
  },
  {
    id: "F16",
    what: "The release namespace is deleted before the uninstall: nothing can be created there any more, and the state may be gone.",
  },
  {
    id: "F17",
    what: "An object at ngrok that somebody else made is taken for ours and later deleted, or a reinstall makes a double beside the one that was kept.",
  },
  {
    id: "F18",
    what: "The owner stamp misleads: an object changes its class, a stamp is copied by Git, or a second install grabs what the first let go.",
  },
  {
    id: "F19",
    what: "Two installs share a name (a Secret, a GatewayClass's finalizer), and the uninstall of one breaks the other.",
  },
  {
    id: "F20",
    what: "The cleanup waits for pods that never end: its own, a finished test, one on a lost node.",
  },
  {
    id: "F21",
    what: "Helm gives up and deletes the hook's ServiceAccount and Roles while its pod still works.",
  },
  {
    id: "F22",
    what: "The Job's deadline ends the pod before Helm's timeout, so that nobody is left to ask why; or a retry repeats a refusal.",
  },
  {
    id: "F23",
    what: "A guarded patch that came too late (422) is taken for a final refusal, or a whole-object patch never wins on a busy object.",
  },
  {
    id: "F24",
    what: "A stored custom resource no longer satisfies the schema, so that the patch which takes our finalizer off is refused.",
  },
  {
    id: "F25",
    what: "The hook's pod lacks what the operator's pod has: proxy, authorities, address of the API, tolerations, limits; or a sidecar keeps its Job running.",
  },
  {
    id: "F26",
    what: "A reserved TCP address of a Service is never released, or one is released that was not reserved for it.",
  },
  {
    id: "F27",
    what: "The report of what stays at ngrok is too large for one object, so it is lost, or cut without a word.",
  },
  {
    id: "F28",
    what: "The operator dies between the creation at ngrok and the note of its id: the object is made twice, or leaks under Delete.",
  },

  {
    id: "W1",
    what: "An object without a recorded remote id is let go without a look at ngrok; a KubernetesOperator without one skips the whole drain.",
  },
  {
    id: "W2",
    what: "Taking the finalizer off wakes the controller, which puts it back.",
  },
  {
    id: "W3",
    what: "Every object with our finalizer is drained, whoever's install or class it belongs to.",
  },
  {
    id: "W4",
    what: "A refusal of ngrok (401, 403, 409) is dropped without a retry or a word, and the object terminates for ever.",
  },
  {
    id: "W5",
    what: "The hook hides its failure from Helm, or runs an image that changes under its tag.",
  },
  {
    id: "W6",
    what: "A pod that starts after the drain takes the install for a new one and adds finalizers again.",
  },
  {
    id: "W7",
    what: "A traffic policy that changes during the drain lets the translation see no wanted endpoints, and it deletes the generated ones at ngrok.",
  },
  {
    id: "W8",
    what: "An object that a user or a controller changes while it is drained gets its finalizer, or what was made for it, back.",
  },
  {
    id: "W9",
    what: "Several processes clean up behind one finalizer: who comes second finds nothing, and its tunnel or listener stays.",
  },
  {
    id: "W10",
    what: "A BoundEndpoint whose target Service is gone keeps its other Service.",
  },
  {
    id: "W11",
    what: "The drain waits a minute for each object in turn, takes a namesake for the object, or waits for a process whose feature is off.",
  },
  {
    id: "W12",
    what: "The finalizer on a GatewayClass is never taken off.",
  },
  {
    id: "W13",
    what: "A pod that restarts in the middle of the drain rewrites the policy, or makes the KubernetesOperator anew after it.",
  },
  {
    id: "W14",
    what: "An unknown policy counts as success, and one pass over a cached list counts as proof.",
  },
  {
    id: "W15",
    what: "Finalizers are written as a whole list from an old copy, and a foreign one is lost or comes back.",
  },
  {
    id: "W16",
    what: "The drain cannot be told to stop, shows no progress, and leaves no trace when it dies.",
  },
  {
    id: "W17",
    what: "The certificate's Secret and reserved TCP addresses stay behind.",
  },
  {
    id: "W18",
    what: "An Ingress that is being deleted keeps our finalizer because its class is gone or its spec is not valid.",
  },
  {
    id: "W19",
    what: "Without hooks nothing triggers a drain, and CRDs that go hang on finalizers that nobody takes off.",
  },
  {
    id: "W20",
    what: "Two pollers delete each other's BoundEndpoints, or one bad endpoint stops every poll.",
  },
  {
    id: "W21",
    what: "The mark is noticed only at the next tick, and what is under way goes on until then.",
  },
  {
    id: "W22",
    what: "With a watched namespace, our objects in the release namespace are invisible, so they are never drained.",
  },
  {
    id: "W23",
    what: "A conflict in the last status write is told as a failure, or a crash after the deregistration makes the next run fail.",
  },
  {
    id: "W24",
    what: "A status is written whole from an old copy over what others wrote.",
  },
  {
    id: "W25",
    what: "An update whose new tunnel fails closes the old one too.",
  },
  {
    id: "W26",
    what: "A call to ngrok has no deadline, and one that hangs blocks everything behind it.",
  },

  { id: "E1", what: "There is no KubernetesOperator: the drain runs all the same." },
  { id: "E2", what: "The CRD of the KubernetesOperator is missing: the drain runs all the same." },
  { id: "E3", what: "The operator never registered, so there is no remote id: the drain runs all the same." },
  { id: "E4", what: "Nothing carries a finalizer: the drain ends at once and deregisters." },
  { id: "E5", what: "Everything can be drained: all finalizers go, then the KubernetesOperator." },
  { id: "E6", what: "Some objects fail: they are tried again, and keep their finalizer until it is right to let go." },
  { id: "E7", what: "The time of the hook is over before all is done: it ends with exit 1, and Helm deletes nothing." },
  { id: "E8", what: "Helm gives up first: the same command again goes on where the first run ended." },
  { id: "E9", what: "ngrok does not know the registration any more (404): that counts as deregistered." },
  { id: "E10", what: "ngrok answers the deregistration with 5xx or not at all: it is tried again, the drain is not." },
  { id: "E11", what: "ngrok answers the deregistration with 429: it is tried again after the wait." },
  { id: "E12", what: "ngrok refuses the deregistration: Retain reports it and ends, Delete stops and says why." },
  { id: "E13", what: "Somebody else writes the KubernetesOperator's status meanwhile: the drain goes on." },
  { id: "E14", what: "The driver dies in the middle: the next one takes over and repeats nothing that is done." },
  {
    id: "E15",
    what: "The policy is edited during the drain: only a relaxation to Retain acts, from the next object on.",
  },
  {
    id: "E16",
    what: "The KubernetesOperator carries a foreign finalizer: ours goes, and its status shows the whole drain.",
  },
  {
    id: "E17",
    what: "The CRD of one of the drained kinds is missing: that kind has no objects, and the others are drained.",
  },
  { id: "E18", what: "No agent runs under Delete: AgentEndpoints go all the same." },
  { id: "E19", what: "Under Retain nothing waits for ngrok or for another process." },
  {
    id: "E20",
    what: "The KubernetesOperator is deleted by hand: the operator drains itself, and nothing is made again.",
  },
  { id: "E21", what: "The release namespace is deleted instead of an uninstall." },
];
