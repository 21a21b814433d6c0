// One agent at the edge, from its first frame to the loss of its connection: what it calls, and what can be done to it.
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { answer, callAgent, readExactly, readObject, readType, streamType, type Fields } from "./calls.ts";
import { errorCode } from "./frames.ts";
import type { Effect, Spot } from "./faults.ts";
import { readAuth, readBind, text, type Auth } from "./messages.ts";
import { Mux } from "./mux.ts";
import type { MuxStream } from "./mux-stream.ts";
import { refusals, wireText, type Refusal } from "./refusals.ts";
import type { Hub } from "./hub.ts";

/** One stream more than 512 makes the agent drop its connection; its own calls need some. */
const mostStreams = 500;
/**
 * Longer no unbind waits: a stream whose upstream has nothing to say is taken without a word. Long enough for an agent that waits
 * for a processor: what it has not taken when it hears the answer is lost, and a test says that nothing was.
 */
const TAKEN_MS = 2_000;

/** So much longer an edge leaves a session alone whose heart it does not answer. */
const HUNG_MS = 60_000;

export class AgentSession {
  /** The id that the agent got and shows again when it comes back; empty before it has authenticated. */
  id = "";
  auth: Auth | undefined;
  readonly from: string;
  readonly #hub: Hub;
  readonly #socket: TLSSocket;
  readonly #underTls: Socket | undefined;
  readonly #mux: Mux;
  readonly #over = new AbortController();
  #lastBeat: number;

  /** `underTls` is the TCP connection: only there can a reset be made. */
  constructor(socket: TLSSocket, underTls: Socket | undefined, hub: Hub) {
    this.#hub = hub;
    this.#underTls = underTls;
    this.#socket = socket;
    this.from = `${socket.remoteAddress}:${socket.remotePort}`;
    this.#lastBeat = hub.clock.now();
    this.#mux = new Mux(socket, {
      opened: (stream) => void this.#serve(stream),
      ended: (why) => this.#ended(why),
    });
  }

  /** Whether one more visitor can be passed on. */
  get hasRoom(): boolean {
    return this.#mux.open < mostStreams;
  }

  /** A stream towards the agent. Throws when its connection is over. */
  openStream(): MuxStream {
    return this.#mux.openStream();
  }

  // ---- what ngrok does to agents

  /** Asks the agent to stop; resolves to its answer, `{}` when it has an ear for it. */
  async stop(): Promise<Fields | undefined> {
    return await callAgent(this.openStream(), streamType.stopFromEdge, {});
  }

  /** Asks the agent to restart. */
  async restart(): Promise<Fields | undefined> {
    return await callAgent(this.openStream(), streamType.restartFromEdge, {});
  }

  /** Asks the agent to update itself. */
  async update(version: string, permitMajorVersion = false): Promise<Fields | undefined> {
    const call = { Version: version, PermitMajorVersion: permitMajorVersion };
    return await callAgent(this.openStream(), streamType.updateFromEdge, call);
  }

  /** Tells the agent that one of its endpoints is stopped. Agents that have reconnected do not listen. */
  async stopEndpoint(id: string, { message, code }: Refusal): Promise<void> {
    const call = { Id: id, Message: message, ...(code !== undefined && { ErrorCode: code }) };
    await callAgent(this.openStream(), streamType.stopEndpointFromEdge, call);
  }

  /** GOAWAY: the agent has to come back over a new connection. */
  goAway(): void {
    this.#mux.goAway(errorCode.none, "the edge restarts");
    this.#mux.end("the edge said GOAWAY");
    this.#socket.end();
  }

  // ---- faults of whole connections

  /** The connection is reset. */
  drop(): void {
    this.#underTls?.resetAndDestroy();
    this.#socket.destroy();
    this.#mux.end("dropped");
  }

  /** No byte is read or answered any more; the connection stays open until `thaw`. */
  freeze(): void {
    this.#socket.pause();
  }

  thaw(): void {
    this.#socket.resume();
  }

  /** Half-open: the edge forgets the agent and its endpoints, and the agent is not told. */
  forget(): void {
    this.#socket.pause();
    this.#mux.end("forgotten");
  }

  /** Credit for what the agent sends comes `ms` late: it sends at most 256 KiB per stream in that time. */
  slowWindow(ms: number): void {
    this.#mux.creditDelay = ms;
  }

  /** A frame of a type that there is not, or bytes that are no frame at all. */
  garbage(kind: "frame" | "bytes"): void {
    this.#mux.sendRaw(kind === "frame" ? Buffer.from("000004f000000002deadbeef", "hex") : Buffer.alloc(64, "garbage "));
  }

  close(): void {
    this.#socket.destroy();
    this.#mux.end("the edge is closed");
  }

  // ---- the agent's calls

  async #serve(stream: MuxStream): Promise<void> {
    const type = await readType(stream);
    if (type === undefined) return;
    if (type === streamType.heartbeat) {
      await this.#echo(stream);
      return;
    }
    const call = await readObject(stream);
    if (call === undefined) return;
    stream.resume(); // the agent's own end
    const reply = await this.#replyTo(type, call, stream);
    if (reply !== undefined) answer(stream, reply);
  }

  /** What is answered; undefined leaves the call open. */
  async #replyTo(type: number, call: Fields, stream: MuxStream): Promise<object | string | undefined> {
    if (type === streamType.auth) return await this.#hit("auth", "", () => this.#authenticate(call));
    if (type === streamType.unbind) {
      const id = text(call["Id"]);
      return await this.#hit("unbind", id, () => this.#unbind(id));
    }
    if (type === streamType.bind) {
      const about = `${text(call["Proto"])}://${readBind(call)?.place ?? ""}`;
      return await this.#hit("bind", about, async () => await this.#bind(call, stream));
    }
    return { Id: "", Error: wireText(type === streamType.bindLabeled ? refusals.labels : refusals.unknown(type)) };
  }

  /** What a fault makes of a call, or what the call itself comes to. */
  async #hit(on: Spot, about: string, call: () => object | Promise<object>): Promise<object | string | undefined> {
    const effect = this.#hub.faults.take(on, about);
    if (effect !== undefined) this.#hub.journal.add({ kind: "fault", on, effect: effect.kind });
    if (effect?.kind === "latency") await this.#hub.clock.sleep(effect.ms, this.#over.signal).catch(() => {});
    if (effect === undefined || effect.kind === "latency") return await call();
    return this.#suffer(effect, on, about);
  }

  #suffer(effect: Exclude<Effect, { kind: "latency" }>, on: Spot, about: string): object | string | undefined {
    switch (effect.kind) {
      case "refuse":
        return this.#refuse(on === "auth" ? "auth" : "bind", about, effect);
      case "drop":
        this.drop();
        return undefined;
      case "garbage":
        return "\u0000no object} of this protocol";
      case "hang":
        return undefined;
    }
  }

  /** `sent` is what the agent is told where the journal must not show all of it. */
  #refuse(call: "auth" | "bind", about: string, refusal: Refusal, sent = refusal): object {
    this.#hub.journal.add({ kind: "refused", call, about, message: wireText(refusal) });
    return { Error: wireText(sent) };
  }

  #authenticate(call: Fields): object {
    const auth = readAuth(call);
    const { authtokens } = this.#hub;
    if (auth.authtoken === "") return this.#refuse("auth", this.from, refusals.noAuthtoken);
    if (authtokens !== undefined && !authtokens.has(auth.authtoken))
      return this.#refuse("auth", this.from, refusals.wrongAuthtoken("..."), refusals.wrongAuthtoken(auth.authtoken));
    this.auth = auth;
    this.id = this.#hub.admit(this, auth.clientId);
    void this.#reap(auth);
    const extra = {
      Version: "stand-in",
      Region: "local",
      Cookie: `cookie-of-${this.id}`,
      AccountName: "stand-in",
      SessionDuration: 0,
      PlanName: "Free",
      Banner: "",
    };
    return { Version: "3", ClientId: this.id, Error: "", Extra: extra };
  }

  async #bind(call: Fields, stream: MuxStream): Promise<object> {
    const request = readBind(call);
    if (request === undefined) return this.#refuse("bind", text(call["Proto"]), refusals.proto);
    const made = await this.#hub.bind(this, request);
    if ("message" in made) return this.#refuse("bind", `${request.proto}://${request.place}`, made);
    const { id, url, proto, opts, host, port } = made;
    // The agent ends its side once it has read the answer.
    stream.once("end", () => {
      made.heard = true;
      this.#hub.journal.add({ kind: "heard", session: this.id, endpoint: id, url });
    });
    // The agent shows these again when it comes back, so that they carry the place that was chosen for it.
    const chosen = proto === "tcp" ? { Addr: `${host}:${port}` } : request.place === "" ? { Domain: host } : {};
    return {
      Id: id,
      URL: url,
      Proto: proto,
      Opts: { ...opts, ...chosen },
      Error: "",
      Extra: { Token: `token-of-${id}` },
    };
  }

  /** Agents unbind up to three times; an endpoint of another session is not theirs to end. */
  async #unbind(id: string): Promise<object> {
    const endpoint = this.#hub.endpoints.get(id);
    if (endpoint?.session !== this) return {};
    this.#hub.endpoints.release(endpoint);
    if (!this.#hub.endpoints.all().some(({ url }) => url === endpoint.url)) return {};
    // Another is in its place. An agent forgets this one as it hears the answer: what was sent to it before must have been
    // taken by then, or it would be lost although somebody is there.
    const taken = Promise.all(endpoint.onTheirWay);
    await Promise.race([taken, this.#hub.clock.sleep(TAKEN_MS, this.#over.signal).catch(() => {})]);
    return {};
  }

  async #echo(stream: MuxStream): Promise<void> {
    for (;;) {
      const beat = await readExactly(stream, 4);
      if (beat === undefined) return;
      this.#lastBeat = this.#hub.clock.now();
      const effect = this.#hub.faults.take("heartbeat", this.id);
      if (effect === undefined) stream.write(beat);
      else if (effect.kind === "drop") this.drop();
      else if (effect.kind === "garbage") stream.write(Buffer.from("dead"));
      // An edge that answers nothing ends nothing: the agent gives the session up, however late a busy machine lets it.
      else if (effect.kind === "hang") this.#lastBeat += HUNG_MS;
      this.#hub.journal.add({ kind: "heartbeat", session: this.id });
    }
  }

  /** An agent that closes its session says nothing: only its heart stops. */
  async #reap({ heartbeatInterval, heartbeatTolerance }: Auth): Promise<void> {
    const patience = heartbeatInterval + heartbeatTolerance;
    if (patience <= 0) return;
    const { clock } = this.#hub;
    for (;;) {
      const left = this.#lastBeat + patience - clock.now();
      if (left <= 0) break;
      try {
        await clock.sleep(left, this.#over.signal);
      } catch {
        return;
      }
    }
    this.#mux.end("its heart stopped");
    this.#socket.destroy();
  }

  #ended(why: string): void {
    this.#over.abort(new Error(why));
    this.#hub.lost(this, why);
  }
}
