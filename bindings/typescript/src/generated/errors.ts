// Made by scripts/generate.mjs from wire.schema.json; do not edit.

import { SwarmError } from "../errors/base.js";

/** The protocol, or the program at the other end of it, failed. */
export class RpcError extends SwarmError {
  static override readonly kind: string = "rpc_error";
  static override readonly code: number = -32009;
}

/** There is no version that both sides speak. */
export class UnsupportedProtocolError extends RpcError {
  static override readonly kind: string = "unsupported_protocol";
  static override readonly code: number = -32001;
}

/** The token is missing or wrong, or the page that connects may not. */
export class UnauthorizedError extends RpcError {
  static override readonly kind: string = "unauthorized";
  static override readonly code: number = -32002;
}

/** A message before `initialize`. */
export class NotInitializedError extends RpcError {
  static override readonly kind: string = "not_initialized";
  static override readonly code: number = -32003;
}

/** A function that the program does not have, or that the core does not have any more. */
export class UnknownCallbackError extends RpcError {
  static override readonly kind: string = "unknown_callback";
  static override readonly code: number = -32004;
}

/** A function of the program gave no answer before its deadline. */
export class CallbackTimeoutError extends RpcError {
  static override readonly kind: string = "callback_timeout";
  static override readonly code: number = -32005;
}

/** A frame is longer than the limit; the connection ends. */
export class MessageTooLargeError extends RpcError {
  static override readonly kind: string = "message_too_large";
  static override readonly code: number = -32006;
}

/** The program has as many requests under way as it may. */
export class TooManyRequestsError extends RpcError {
  static override readonly kind: string = "too_many_requests";
  static override readonly code: number = -32007;
}

/** The connection that should go on is gone; begin a new one. */
export class ResumeRefusedError extends RpcError {
  static override readonly kind: string = "resume_refused";
  static override readonly code: number = -32008;
}

/** A declaration is wrong. */
export class DeclarationError extends SwarmError {
  static override readonly kind: string = "declaration_error";
  static override readonly code: number = -32010;
}

/** A name that nothing declares. */
export class UnknownNameError extends DeclarationError {
  static override readonly kind: string = "unknown_name";
  static override readonly code: number = -32011;
}

/** A name that is declared twice. */
export class DuplicateNameError extends DeclarationError {
  static override readonly kind: string = "duplicate_name";
  static override readonly code: number = -32012;
}

/** A client id or a name that may not be used. */
export class InvalidIdError extends DeclarationError {
  static override readonly kind: string = "invalid_id";
  static override readonly code: number = -32013;
}

/** All problems of a catalog or a document. */
export class ValidationError extends DeclarationError {
  static override readonly kind: string = "validation_error";
  static override readonly code: number = -32014;
}

/** A text that leads to no function. */
export class SourceError extends DeclarationError {
  static override readonly kind: string = "source_error";
  static override readonly code: number = -32015;
}

/** The model has versions, but none that the alias stands for yet. */
export class NotPromotedError extends DeclarationError {
  static override readonly kind: string = "not_promoted";
  static override readonly code: number = -32016;
}

/** The machine or its environment lacks something. */
export class SetupError extends SwarmError {
  static override readonly kind: string = "setup_error";
  static override readonly code: number = -32020;
}

/** A library of an optional extra is not installed. */
export class MissingExtraError extends SetupError {
  static override readonly kind: string = "missing_extra";
  static override readonly code: number = -32021;
}

/** An environment variable that should hold a key is not set. */
export class MissingKeyError extends SetupError {
  static override readonly kind: string = "missing_key";
  static override readonly code: number = -32022;
}

/** The journal or another file of ours cannot be opened, read or written. */
export class StoreError extends SetupError {
  static override readonly kind: string = "store_error";
  static override readonly code: number = -32023;
}

/** The engine did not start, or died; `log_tail` has the last lines of its log. */
export class EngineError extends SetupError {
  static override readonly kind: string = "engine_error";
  static override readonly code: number = -32024;
}

/** The engine was not ready in time and was stopped. */
export class EngineTimeoutError extends EngineError {
  static override readonly kind: string = "engine_timeout";
  static override readonly code: number = -32025;
}

/** The tools of a server that was never reached before, or of a function, are not known. */
export class McpUnavailableError extends SetupError {
  static override readonly kind: string = "mcp_unavailable";
  static override readonly code: number = -32026;
}

/** A file that was passed in is wrong. */
export class DataError extends SwarmError {
  static override readonly kind: string = "data_error";
  static override readonly code: number = -32030;
}

/** The file is no GGUF file, or one that must not be loaded. */
export class GgufError extends DataError {
  static override readonly kind: string = "gguf_error";
  static override readonly code: number = -32031;
}

/** The file is sound, but the engine does not know its architecture. */
export class UnsupportedModelError extends GgufError {
  static override readonly kind: string = "unsupported_model";
  static override readonly code: number = -32032;
}

/** A file of the registry is not what was registered; `file` names it. */
export class CorruptedVersionError extends DataError {
  static override readonly kind: string = "corrupted_version";
  static override readonly code: number = -32033;
}

/** A model provider failed. */
export class ProviderError extends SwarmError {
  static override readonly kind: string = "provider_error";
  static override readonly code: number = -32040;
}

/** The provider understood the request and refused it; trying again is useless. */
export class ProviderRefusedError extends ProviderError {
  static override readonly kind: string = "provider_refused";
  static override readonly code: number = -32041;
}

/** The provider is over its limits; `retry_after` is in seconds when it said so. */
export class ProviderBusyError extends ProviderError {
  static override readonly kind: string = "provider_busy";
  static override readonly code: number = -32042;
}

/** The provider cannot be reached or broke in the middle of its answer. */
export class ProviderDownError extends ProviderError {
  static override readonly kind: string = "provider_down";
  static override readonly code: number = -32043;
}

/** The provider gave no answer in time. */
export class ProviderTimeoutError extends ProviderError {
  static override readonly kind: string = "provider_timeout";
  static override readonly code: number = -32044;
}

/** The provider's answer is not what its API promises. */
export class ProviderOutputError extends ProviderError {
  static override readonly kind: string = "provider_output";
  static override readonly code: number = -32045;
}

/** Every key has spent what its `key_budget` allows. */
export class KeyBudgetError extends ProviderError {
  static override readonly kind: string = "key_budget";
  static override readonly code: number = -32047;
}

/** The model failed several times in a row and is left alone; `retry_after` says for how long. */
export class CircuitOpenError extends ProviderDownError {
  static override readonly kind: string = "circuit_open";
  static override readonly code: number = -32048;
}

/** A model is limited to groups of workers that this process belongs to none of. */
export class OutsideGroupsError extends ProviderRefusedError {
  static override readonly kind: string = "outside_groups";
  static override readonly code: number = -32049;
}

/** One turn failed; the session lives on and its history is intact. */
export class TurnError extends SwarmError {
  static override readonly kind: string = "turn_error";
  static override readonly code: number = -32050;
}

/** The turn's deadline passed before there was an answer. */
export class TurnTimeoutError extends TurnError {
  static override readonly kind: string = "turn_timeout";
  static override readonly code: number = -32051;
}

/** The turn was cancelled, or its process ended in the middle. */
export class TurnInterruptedError extends TurnError {
  static override readonly kind: string = "turn_interrupted";
  static override readonly code: number = -32052;
}

/** A tool output for a call that nobody made, or that has its output already. */
export class ToolOutputError extends TurnError {
  static override readonly kind: string = "tool_output";
  static override readonly code: number = -32053;
}

/** A hand-off to an agent outside the swarm, or one hand-off too many. */
export class NavigationError extends TurnError {
  static override readonly kind: string = "navigation";
  static override readonly code: number = -32054;
}

/** An agent asked a wiki that is not in its `wiki_list`. */
export class WikiNotListedError extends TurnError {
  static override readonly kind: string = "wiki_not_listed";
  static override readonly code: number = -32055;
}

/** A function that a declaration names raised, or returned what it may not. */
export class CallbackError extends TurnError {
  static override readonly kind: string = "callback_error";
  static override readonly code: number = -32056;
}

/** A limit of a `budget` is reached, so no further model call is made. */
export class BudgetExceededError extends TurnError {
  static override readonly kind: string = "budget_exceeded";
  static override readonly code: number = -32057;
}

/** There is no such live session, it is closed, or it is open elsewhere. */
export class SessionError extends SwarmError {
  static override readonly kind: string = "session_error";
  static override readonly code: number = -32060;
}

/** A topic that a program may not use: reserved for a bus, or empty. */
export class TopicError extends DeclarationError {
  static override readonly kind: string = "topic";
  static override readonly code: number = -32061;
}

/** Something was to be pushed to a client whose session nobody listens to. */
export class NoConnectorError extends SessionError {
  static override readonly kind: string = "no_connector";
  static override readonly code: number = -32063;
}

/** A connector failed; what it should have delivered is in `data`. */
export class ConnectorError extends CallbackError {
  static override readonly kind: string = "connector_error";
  static override readonly code: number = -32064;
}

/** Something needs a client id of its own, and this one has a live session. */
export class ClientLiveError extends SessionError {
  static override readonly kind: string = "client_live";
  static override readonly code: number = -32065;
}

/** The function of a pipeline raised; the error is the cause. */
export class PipelineError extends CallbackError {
  static override readonly kind: string = "pipeline_error";
  static override readonly code: number = -32066;
}

/** An agent used a state or a storage that it does not list. */
export class MemoryNotListedError extends TurnError {
  static override readonly kind: string = "memory_not_listed";
  static override readonly code: number = -32080;
}

/** A function of a declaration failed; nothing was changed. */
export class MemoryCallbackError extends SwarmError {
  static override readonly kind: string = "memory_callback";
  static override readonly code: number = -32081;
}

/** A value that cannot be kept, because JSON has nothing like it. */
export class NotJsonError extends DeclarationError {
  static override readonly kind: string = "not_json";
  static override readonly code: number = -32082;
}

/** A ban was asked of a policy that the swarm does not list, where it would mean nothing. */
export class PolicyNotListedError extends DeclarationError {
  static override readonly kind: string = "policy_not_listed";
  static override readonly code: number = -32090;
}

/** A ban was to change in a list that the program only gives for reading. */
export class BanListReadOnlyError extends DeclarationError {
  static override readonly kind: string = "ban_list_read_only";
  static override readonly code: number = -32091;
}

/** Somebody has decided this item; the first decision stands. */
export class AlreadyDecidedError extends DataError {
  static override readonly kind: string = "already_decided";
  static override readonly code: number = -32094;
}

/** No item of the inbox, or several, begin so. */
export class UnknownItemError extends DataError {
  static override readonly kind: string = "unknown_item";
  static override readonly code: number = -32095;
}

/** A question was approved, a call was replied to, or a reply has no text. */
export class WrongDecisionError extends DataError {
  static override readonly kind: string = "wrong_decision";
  static override readonly code: number = -32096;
}

/** A function of an outline raised, or returned what it may not. */
export class OutlineCallbackError extends SwarmError {
  static override readonly kind: string = "outline_callback";
  static override readonly code: number = -32098;
}

/** The function of an advisor raised, or returned what it may not. */
export class AdvisorCallbackError extends SwarmError {
  static override readonly kind: string = "advisor_callback";
  static override readonly code: number = -32099;
}

/** A function of the program threw, or the program refused what was asked. */
export class RemoteError extends RpcError {
  static override readonly kind: string = "remote_error";
  static override readonly code: number = -32100;
}

/** A function of the program returned what it may not. */
export class CallbackOutputError extends RpcError {
  static override readonly kind: string = "callback_output";
  static override readonly code: number = -32101;
}

/** JSON that is no message of the protocol. */
export class InvalidRequestError extends RpcError {
  static override readonly kind: string = "invalid_request";
  static override readonly code: number = -32600;
}

/** A method that the asked side does not have. */
export class MethodNotFoundError extends RpcError {
  static override readonly kind: string = "method_not_found";
  static override readonly code: number = -32601;
}

/** Params that do not fit the method. */
export class InvalidParamsError extends RpcError {
  static override readonly kind: string = "invalid_params";
  static override readonly code: number = -32602;
}

/** A frame that is not JSON. */
export class ParseError extends RpcError {
  static override readonly kind: string = "parse_error";
  static override readonly code: number = -32700;
}

/** The request was cancelled by its sender, or with the turn that it belongs to. */
export class CancelledError extends RpcError {
  static override readonly kind: string = "cancelled";
  static override readonly code: number = -32800;
}

/** The other side is gone, so nothing that was asked will be answered. */
export class ConnectionLostError extends RpcError {
  static override readonly kind: string = "connection_lost";
  static override readonly code: number = -32801;
}

/** Every error class by the `kind` that stands on the wire. */
export const ERRORS: Readonly<Record<string, typeof SwarmError>> = {
  swarm_error: SwarmError,
  unsupported_protocol: UnsupportedProtocolError,
  unauthorized: UnauthorizedError,
  not_initialized: NotInitializedError,
  unknown_callback: UnknownCallbackError,
  callback_timeout: CallbackTimeoutError,
  message_too_large: MessageTooLargeError,
  too_many_requests: TooManyRequestsError,
  resume_refused: ResumeRefusedError,
  rpc_error: RpcError,
  declaration_error: DeclarationError,
  unknown_name: UnknownNameError,
  duplicate_name: DuplicateNameError,
  invalid_id: InvalidIdError,
  validation_error: ValidationError,
  source_error: SourceError,
  not_promoted: NotPromotedError,
  setup_error: SetupError,
  missing_extra: MissingExtraError,
  missing_key: MissingKeyError,
  store_error: StoreError,
  engine_error: EngineError,
  engine_timeout: EngineTimeoutError,
  mcp_unavailable: McpUnavailableError,
  data_error: DataError,
  gguf_error: GgufError,
  unsupported_model: UnsupportedModelError,
  corrupted_version: CorruptedVersionError,
  provider_error: ProviderError,
  provider_refused: ProviderRefusedError,
  provider_busy: ProviderBusyError,
  provider_down: ProviderDownError,
  provider_timeout: ProviderTimeoutError,
  provider_output: ProviderOutputError,
  key_budget: KeyBudgetError,
  circuit_open: CircuitOpenError,
  outside_groups: OutsideGroupsError,
  turn_error: TurnError,
  turn_timeout: TurnTimeoutError,
  turn_interrupted: TurnInterruptedError,
  tool_output: ToolOutputError,
  navigation: NavigationError,
  wiki_not_listed: WikiNotListedError,
  callback_error: CallbackError,
  budget_exceeded: BudgetExceededError,
  session_error: SessionError,
  topic: TopicError,
  no_connector: NoConnectorError,
  connector_error: ConnectorError,
  client_live: ClientLiveError,
  pipeline_error: PipelineError,
  memory_not_listed: MemoryNotListedError,
  memory_callback: MemoryCallbackError,
  not_json: NotJsonError,
  policy_not_listed: PolicyNotListedError,
  ban_list_read_only: BanListReadOnlyError,
  already_decided: AlreadyDecidedError,
  unknown_item: UnknownItemError,
  wrong_decision: WrongDecisionError,
  outline_callback: OutlineCallbackError,
  advisor_callback: AdvisorCallbackError,
  remote_error: RemoteError,
  callback_output: CallbackOutputError,
  invalid_request: InvalidRequestError,
  method_not_found: MethodNotFoundError,
  invalid_params: InvalidParamsError,
  parse_error: ParseError,
  cancelled: CancelledError,
  connection_lost: ConnectionLostError,
};
