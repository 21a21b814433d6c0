// Trouble on demand for forwarders that ask for an endpoint. What hits a connection that stands is at the connection.
import { FaultList, type Aim } from "../ngrok-edge/faults.ts";

export type BindingEffect =
  | { readonly kind: "refuse"; readonly code: string; readonly message: string }
  /** Never answered. */
  | { readonly kind: "hang" }
  /** Reset instead of an answer. */
  | { readonly kind: "cut" }
  /** Ended, in order, instead of an answer. */
  | { readonly kind: "end" }
  /** A frame of the right length that is no message. */
  | { readonly kind: "garbage" }
  /** A frame as long as its length can say. */
  | { readonly kind: "oversized" }
  /** Answered byte by byte. */
  | { readonly kind: "dribble" };

/** `match` is tested against `host:port` of the request. */
export type BindingFault = BindingEffect & Aim;

export class BindingFaults extends FaultList<BindingFault> {
  take(about: string): BindingEffect | undefined {
    return this.hit(about, () => true);
  }
}
