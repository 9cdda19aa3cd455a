/** Conversations: sessions, and connections whose answers are pushed to a function. */

import { core } from "./core/core.js";
import type * as Wire from "./generated/wire.js";

/** What happens while an answer is made. */
export interface ICompleteOptions {
  /** Ends the turn when it aborts; the call is rejected. */
  signal?: AbortSignal;
  /** Hears of each piece of the answer, and of tools and hand-offs. */
  onProgress?(value: { type: string; [field: string]: unknown }): void;
}

/** An open conversation. */
export interface ISession {
  /** Send a message and return the answer; the messages of a client are answered in order. */
  complete<Payload extends object = object>(
    content: string,
    payload?: Payload | null,
    options?: ICompleteOptions,
  ): Promise<string>;
  /** Close the session. */
  dispose(): Promise<void>;
}

export interface ISessionOptions {
  /** Is called when the session was closed. */
  onDispose?(): unknown;
}

export interface ITimedOptions extends ISessionOptions {
  /** Milliseconds; for `rate` those in which another message is dropped. */
  delay?: number;
}

/** What a connection pushes. */
export interface IOutgoingMessage {
  data: string;
  agentName: string;
  clientId: string;
}

/** Brings a message to the client. */
export type ReceiveMessageFn = (message: IOutgoingMessage) => unknown;

/** Sends a message of the client; the answer is pushed to the connector and returned. */
export type SendMessageFn = <Payload extends object = object>(
  content: string,
  payload?: Payload | null,
) => Promise<string>;

/** Open a session; it reaches the core with the first question. */
function openSession(clientId: string, swarmName: string, options: ISessionOptions = {}): ISession {
  return start({ clientId, swarmName, mode: "session" }, options);
}

/** Open a session in which messages that come while one is answered are answered as one. */
function openScheduled(clientId: string, swarmName: string, options: ITimedOptions = {}): ISession {
  return start({ clientId, swarmName, mode: "scheduled", ...delayOf(options) }, options);
}

/** Open a session that drops what comes again too soon; the answer is "" then. */
function openRate(clientId: string, swarmName: string, options: ITimedOptions = {}): ISession {
  return start({ clientId, swarmName, mode: "rate", ...delayOf(options) }, options);
}

/** A conversation with a swarm. */
export const session = Object.assign(openSession, { scheduled: openScheduled, rate: openRate });

type Flow = "scheduled" | "rate";

function connect(
  connector: ReceiveMessageFn,
  clientId: string,
  swarmName: string,
  options: ITimedOptions,
  flow?: Flow,
): SendMessageFn {
  const opened = start(
    {
      clientId,
      swarmName,
      mode: "connection",
      connector: core.functions.lend(connector),
      ...(flow === undefined ? {} : { flow }),
      ...delayOf(options),
    },
    options,
  );
  return (content, payload) => opened.complete(content, payload);
}

function openConnection(
  connector: ReceiveMessageFn,
  clientId: string,
  swarmName: string,
): SendMessageFn {
  return connect(connector, clientId, swarmName, {});
}

function openConnectionScheduled(
  connector: ReceiveMessageFn,
  clientId: string,
  swarmName: string,
  options: ITimedOptions = {},
): SendMessageFn {
  return connect(connector, clientId, swarmName, options, "scheduled");
}

function openConnectionRate(
  connector: ReceiveMessageFn,
  clientId: string,
  swarmName: string,
  options: ITimedOptions = {},
): SendMessageFn {
  return connect(connector, clientId, swarmName, options, "rate");
}

/** A conversation whose answers and notifications are pushed to a function. */
export const makeConnection = Object.assign(openConnection, {
  scheduled: openConnectionScheduled,
  rate: openConnectionRate,
});

/** Open a session, ask one thing and close it; the questions of a client are answered in order. */
export async function complete<Payload extends object = object>(
  content: string,
  clientId: string,
  swarmName: string,
  payload?: Payload | null,
): Promise<string> {
  return core.call("verb/complete", { content, clientId, swarmName, payload: payload ?? null });
}

function start(params: Wire.SessionOpenParams, options: ISessionOptions): ISession {
  const { clientId, swarmName } = params;
  core.open(params);
  return {
    async complete(content, payload, { signal, onProgress } = {}) {
      const message: Wire.SessionCompleteParams = {
        clientId,
        swarmName,
        content,
        payload: payload ?? null,
      };
      if (onProgress === undefined) return core.call("session/complete", message, signal);
      const [progressToken, stop] = await core.onProgress((value) =>
        onProgress(value as { type: string }),
      );
      try {
        return await core.call("session/complete", { ...message, progressToken }, signal);
      } finally {
        stop();
      }
    },
    async dispose() {
      await core.dispose(clientId, swarmName);
      await options.onDispose?.();
    },
  };
}

function delayOf({ delay }: ITimedOptions): { delay?: number } {
  return delay === undefined ? {} : { delay: delay / 1000 };
}
