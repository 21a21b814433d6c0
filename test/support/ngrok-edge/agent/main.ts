// The unmodified SDK in a process of its own: it aborts the process on some inputs, and its end is an event at the edge.
import { SessionBuilder, type Listener, type Session } from "@ngrok/ngrok";
import type { Answer, BuilderCall, Order, Told } from "./orders.ts";

const sessions: Session[] = [];
const listeners: Listener[] = [];

process.on("message", ({ id, order }: { id: number; order: Order }) => {
  carryOut(order).then(
    (answer) => say({ id, ...answer }),
    (error: Error & { errorCode?: string }) =>
      say({
        id,
        error: { message: error.message, ...(error.errorCode !== undefined && { errorCode: error.errorCode }) },
      }),
  );
});
process.on("disconnect", () => process.exit(0));

async function carryOut(order: Order): Promise<Omit<Answer, "id">> {
  switch (order.do) {
    case "connect": {
      const builder = new SessionBuilder();
      builder.handleDisconnection((address, error) => {
        say({ told: "disconnected", text: `${address} ${error}` });
        return true;
      });
      builder.handleStopCommand(() => say({ told: "stop", text: "" }));
      builder.handleRestartCommand(() => say({ told: "restart", text: "" }));
      builder.handleUpdateCommand(({ version }) => say({ told: "update", text: version }));
      builder.handleHeartbeat((latency) => say({ told: "heartbeat", text: String(latency) }));
      return { made: sessions.push(await applied(builder, order.calls).connect()) - 1 };
    }
    case "bind": {
      const session = known(sessions, order.session);
      const builder = {
        http: () => session.httpEndpoint(),
        tcp: () => session.tcpEndpoint(),
        tls: () => session.tlsEndpoint(),
      }[order.proto]();
      const listener = await applied(builder, order.calls).listenAndForward(order.to);
      listener.join().then(
        () => say({ told: "listenerEnded", text: "" }),
        (error: Error) => say({ told: "listenerEnded", text: error.message }),
      );
      return { made: listeners.push(listener) - 1, url: listener.url() ?? "", endpoint: listener.id() };
    }
    case "closeListener":
      await known(listeners, order.listener).close();
      return {};
    case "closeSession":
      await known(sessions, order.session).close();
      return {};
  }
}

function applied<B extends object>(builder: B, calls: readonly BuilderCall[]): B {
  for (const [method, ...args] of calls) {
    const call = (builder as Record<string, unknown>)[method];
    if (typeof call !== "function") throw new Error(`the SDK has no ${method}`);
    call.apply(builder, args.map(bytesOf));
  }
  return builder;
}

function bytesOf(value: unknown): unknown {
  const bytes = (value as { bytes?: string } | null)?.bytes;
  return bytes === undefined ? value : Buffer.from(bytes, "base64");
}

function known<T>(list: readonly T[], at: number): T {
  const found = list[at];
  if (found === undefined) throw new Error(`there is no number ${at}`);
  return found;
}

function say(message: Answer | Told): void {
  process.send?.(message);
}
