// The one writer of finalizers: guarded JSON patches that never touch a stranger's entry.

/** What marks an object as held by an install: its finalizer, and the owner that the stamp names. */
export interface Claim {
  /** The finalizer to add. */
  readonly finalizer: string;
  /** All entries that are ours: each goes when the claim is taken off. */
  readonly finalizers: readonly string[];
  /** The annotation that names the owner. */
  readonly stamp: string;
  /** Its value, `<release namespace>/<release>`. */
  readonly owner: string;
}
