// What happens in a drain, as data: one stream, folded into the report, the status, the log and the lines for people.
import type { KnownError } from "#wire/errors.ts";
import type { Undone } from "./hands.ts";
import type { Row } from "./kinds.ts";
import type { Step } from "./plan.ts";

export type DrainEvent =
  | { readonly is: "pass"; readonly n: number }
  | { readonly is: "planned"; readonly row: Row; readonly steps: number }
  | { readonly is: "did"; readonly step: Step; readonly undone: Undone | undefined }
  | { readonly is: "left"; readonly step: Step }
  | { readonly is: "failed"; readonly step: Step; readonly error: KnownError }
  /** The run ended in the middle of it: its last write may have been done. */
  | { readonly is: "stopped"; readonly step: Step }
  | { readonly is: "waiting"; readonly ms: number; readonly why: string }
  | { readonly is: "unknown"; readonly row: Pick<Row, "kind">; readonly error: KnownError };
