/** Listening to what happens. */

import { core } from "./core/core.js";
import { DeclarationError } from "./generated/errors.js";
import type { BusEventParams } from "./generated/wire.js";

/** Something that happened to a client. */
// biome-ignore lint/suspicious/noExplicitAny: what went in and out depends on the type
export interface IBusEvent<Input = any, Output = any> {
  type: string;
  /** The bus. */
  source: string;
  input: Input;
  output: Output;
  context: {
    agentName?: string;
    swarmName?: string;
    storageName?: string;
    stateName?: string;
    computeName?: string;
    policyName?: string;
  };
  clientId: string;
}

const BUSES = [
  "agent-bus",
  "compute-bus",
  "execution-bus",
  "history-bus",
  "policy-bus",
  "session-bus",
  "state-bus",
  "storage-bus",
  "swarm-bus",
];

type Heard<T> = (event: T) => unknown;
type Stop = () => void;

/** Call a function with each event on a topic of the program's own; returns what ends it. */
export function listenEvent<Payload = unknown>(
  clientId: string,
  topic: string,
  filterOrRun: Heard<Payload>,
  run?: Heard<Payload>,
): Stop {
  return listenTopic(clientId, topic, filterOrRun, run, false);
}

/** `listenEvent` for the first event that the filter, if any, lets through. */
export function listenEventOnce<Payload = unknown>(
  clientId: string,
  topic: string,
  filterOrRun: Heard<Payload>,
  run?: Heard<Payload>,
): Stop {
  return listenTopic(clientId, topic, filterOrRun, run, true);
}

function onBus(bus: string) {
  return (clientId: string, run: Heard<IBusEvent>): Stop =>
    listen(clientId, bus, toBusEvent, undefined, run, false);
}

function onceOnBus(bus: string) {
  return (clientId: string, filterOrRun: Heard<IBusEvent>, run?: Heard<IBusEvent>): Stop =>
    listen(clientId, bus, toBusEvent, run && filterOrRun, run ?? filterOrRun, true);
}

/** Each calls a function with the events of one bus, of a client or of all (`*`). */
export const listenAgentEvent = onBus("agent-bus");
export const listenComputeEvent = onBus("compute-bus");
export const listenExecutionEvent = onBus("execution-bus");
export const listenHistoryEvent = onBus("history-bus");
export const listenPolicyEvent = onBus("policy-bus");
export const listenSessionEvent = onBus("session-bus");
export const listenStateEvent = onBus("state-bus");
export const listenStorageEvent = onBus("storage-bus");
export const listenSwarmEvent = onBus("swarm-bus");

/** Each calls a function with the first event of a bus that the filter, if any, lets through. */
export const listenAgentEventOnce = onceOnBus("agent-bus");
export const listenComputeEventOnce = onceOnBus("compute-bus");
export const listenExecutionEventOnce = onceOnBus("execution-bus");
export const listenHistoryEventOnce = onceOnBus("history-bus");
export const listenPolicyEventOnce = onceOnBus("policy-bus");
export const listenSessionEventOnce = onceOnBus("session-bus");
export const listenStateEventOnce = onceOnBus("state-bus");
export const listenStorageEventOnce = onceOnBus("storage-bus");
export const listenSwarmEventOnce = onceOnBus("swarm-bus");

function listenTopic<Payload>(
  clientId: string,
  topic: string,
  filterOrRun: Heard<Payload>,
  run: Heard<Payload> | undefined,
  isOnce: boolean,
): Stop {
  if (BUSES.includes(topic)) {
    throw new DeclarationError(`the topic '${topic}' is a bus; it has a function of its own`);
  }
  const read = (event: BusEventParams) => event.input.payload as Payload;
  return listen(clientId, topic, read, run && filterOrRun, run ?? filterOrRun, isOnce);
}

function listen<T>(
  clientId: string,
  bus: string,
  read: (event: BusEventParams) => T,
  filter: Heard<T> | undefined,
  run: Heard<T>,
  isOnce: boolean,
): Stop {
  // One after the other, in the order in which they happened.
  let last: Promise<unknown> = Promise.resolve();
  let isOver = false;
  const handle = async (event: BusEventParams): Promise<void> => {
    if (isOver) return;
    const given = read(event);
    if (filter && !(await filter(given))) return;
    if (isOnce) stop();
    await run(given);
  };
  const unsubscribe = core.subscribe({ clientId, bus }, (event) => {
    last = last
      .then(() => handle(event))
      .catch((error: unknown) => {
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        core.log("error", "wikiswarm", `a listener of ${bus} failed: ${text}`);
      });
  });
  const stop = (): void => {
    isOver = true;
    unsubscribe();
  };
  return stop;
}

function toBusEvent(event: BusEventParams): IBusEvent {
  return {
    type: event.type,
    source: event.bus,
    input: event.input,
    output: event.output,
    context: event.context,
    clientId: event.clientId,
  };
}
