// Made by scripts/generate.mjs from wire.schema.json; do not edit.

import type * as Wire from "./wire.js";

/** The version of the protocol. */
export const PROTOCOL = 1;

/** Requests that the core answers. */
export interface Requests {
  "initialize": { params: Wire.InitializeParams; result: Wire.InitializeResult };
  "shutdown": { params: Wire.Empty; result: null };
  "catalog/declare": { params: Wire.DeclareParams; result: Wire.DeclareResult };
  "catalog/override": { params: Wire.OverrideParams; result: Wire.OverrideResult };
  "catalog/restore": { params: Wire.RestoreParams; result: null };
  "catalog/get": { params: Wire.CatalogGetParams; result: Wire.CatalogResult };
  "catalog/validate": { params: Wire.Empty; result: Wire.DeclareResult };
  "session/open": { params: Wire.SessionOpenParams; result: Wire.SessionChangedParams };
  "session/complete": { params: Wire.SessionCompleteParams; result: string };
  "session/dispose": { params: Wire.SessionName; result: boolean };
  "events/subscribe": { params: Wire.SubscribeParams; result: Wire.SubscribeResult };
  "events/unsubscribe": { params: Wire.UnsubscribeParams; result: boolean };
  "function/call": { params: Wire.FunctionCallParams; result: Wire.CallbackResult };
  "verb/execute": { params: Wire.ExecuteParams; result: string };
  "verb/executeForce": { params: Wire.ExecuteForceParams; result: string };
  "verb/emit": { params: Wire.EmitParams; result: null };
  "verb/emitForce": { params: Wire.EmitForceParams; result: null };
  "verb/notify": { params: Wire.NotifyParams; result: null };
  "verb/notifyForce": { params: Wire.NotifyForceParams; result: null };
  "verb/runStateless": { params: Wire.RunStatelessParams; result: string };
  "verb/runStatelessForce": { params: Wire.RunStatelessForceParams; result: string };
  "verb/cancelOutput": { params: Wire.CancelOutputParams; result: null };
  "verb/cancelOutputForce": { params: Wire.CancelOutputForceParams; result: null };
  "verb/commitStopTools": { params: Wire.CommitStopToolsParams; result: null };
  "verb/commitStopToolsForce": { params: Wire.CommitStopToolsForceParams; result: null };
  "verb/commitUserMessage": { params: Wire.CommitUserMessageParams; result: null };
  "verb/commitUserMessageForce": { params: Wire.CommitUserMessageForceParams; result: null };
  "verb/commitAssistantMessage": { params: Wire.CommitAssistantMessageParams; result: null };
  "verb/commitAssistantMessageForce": { params: Wire.CommitAssistantMessageForceParams; result: null };
  "verb/commitSystemMessage": { params: Wire.CommitSystemMessageParams; result: null };
  "verb/commitSystemMessageForce": { params: Wire.CommitSystemMessageForceParams; result: null };
  "verb/commitDeveloperMessage": { params: Wire.CommitDeveloperMessageParams; result: null };
  "verb/commitDeveloperMessageForce": { params: Wire.CommitDeveloperMessageForceParams; result: null };
  "verb/commitFlush": { params: Wire.CommitFlushParams; result: null };
  "verb/commitFlushForce": { params: Wire.CommitFlushForceParams; result: null };
  "verb/commitToolRequest": { params: Wire.CommitToolRequestParams; result: (string)[] };
  "verb/commitToolRequestForce": { params: Wire.CommitToolRequestForceParams; result: (string)[] };
  "verb/commitToolOutput": { params: Wire.CommitToolOutputParams; result: null };
  "verb/commitToolOutputForce": { params: Wire.CommitToolOutputForceParams; result: null };
  "verb/changeToAgent": { params: Wire.ChangeToAgentParams; result: boolean };
  "verb/changeToDefaultAgent": { params: Wire.ChangeToDefaultAgentParams; result: boolean };
  "verb/changeToPrevAgent": { params: Wire.ChangeToPrevAgentParams; result: boolean };
  "verb/getAgentName": { params: Wire.GetAgentNameParams; result: string };
  "verb/getAgentHistory": { params: Wire.GetAgentHistoryParams; result: (Wire.Message)[] };
  "verb/getRawHistory": { params: Wire.GetRawHistoryParams; result: (Wire.Message)[] };
  "verb/getUserHistory": { params: Wire.GetUserHistoryParams; result: (Wire.Message)[] };
  "verb/getAssistantHistory": { params: Wire.GetAssistantHistoryParams; result: (Wire.Message)[] };
  "verb/getLastUserMessage": { params: Wire.GetLastUserMessageParams; result: string };
  "verb/getLastAssistantMessage": { params: Wire.GetLastAssistantMessageParams; result: string };
  "verb/getLastSystemMessage": { params: Wire.GetLastSystemMessageParams; result: string };
  "verb/getLastToolMessage": { params: Wire.GetLastToolMessageParams; result: string };
  "verb/getSessionMode": { params: Wire.GetSessionModeParams; result: "session" | "connection" | "complete" | "scope" };
  "verb/getSessionContext": { params: Wire.GetSessionContextParams; result: Wire.SessionContext };
  "verb/getPayload": { params: Wire.GetPayloadParams; result: Wire.JsonValue };
  "verb/getCheckBusy": { params: Wire.GetCheckBusyParams; result: boolean };
  "verb/getNavigationRoute": { params: Wire.GetNavigationRouteParams; result: (string)[] };
  "verb/getToolNameForModel": { params: Wire.GetToolNameForModelParams; result: string };
  "verb/hasSession": { params: Wire.HasSessionParams; result: boolean };
  "verb/hasNavigation": { params: Wire.HasNavigationParams; result: boolean };
  "verb/complete": { params: Wire.CompleteParams; result: string };
  "verb/disposeConnection": { params: Wire.DisposeConnectionParams; result: boolean };
  "verb/startPipeline": { params: Wire.StartPipelineParams; result: Wire.JsonValue };
  "verb/markOnline": { params: Wire.MarkOnlineParams; result: null };
  "verb/markOffline": { params: Wire.MarkOfflineParams; result: null };
  "verb/isOnline": { params: Wire.IsOnlineParams; result: boolean };
  "verb/getOnline": { params: Wire.GetOnlineParams; result: (string)[] };
  "verb/ask": { params: Wire.AskParams; result: string };
  "verb/chat": { params: Wire.ChatParams; result: string };
  "verb/json": { params: Wire.JsonParams; result: Wire.OutlineResult };
  "verb/event": { params: Wire.EventParams; result: null };
  "verb/readSessionMemory": { params: Wire.ReadSessionMemoryParams; result: Wire.JsonValue };
  "verb/writeSessionMemory": { params: Wire.WriteSessionMemoryParams; result: null };
  "verb/serialize": { params: Wire.SerializeParams; result: string };
  "verb/toJsonSchema": { params: Wire.ToJsonSchemaParams; result: Record<string, Wire.JsonValue> };
  "verb/validateToolArguments": { params: Wire.ValidateToolArgumentsParams; result: string | null };
  "verb/question": { params: Wire.QuestionParams; result: string };
  "verb/stateGet": { params: Wire.StateGetParams; result: Wire.JsonValue };
  "verb/stateSet": { params: Wire.StateSetParams; result: Wire.JsonValue };
  "verb/stateClear": { params: Wire.StateClearParams; result: null };
  "verb/sharedStateGet": { params: Wire.SharedStateGetParams; result: Wire.JsonValue };
  "verb/sharedStateSet": { params: Wire.SharedStateSetParams; result: Wire.JsonValue };
  "verb/sharedStateClear": { params: Wire.SharedStateClearParams; result: null };
  "verb/storageTake": { params: Wire.StorageTakeParams; result: (Record<string, Wire.JsonValue>)[] };
  "verb/storageUpsert": { params: Wire.StorageUpsertParams; result: null };
  "verb/storageRemove": { params: Wire.StorageRemoveParams; result: boolean };
  "verb/storageGet": { params: Wire.StorageGetParams; result: Record<string, Wire.JsonValue> | null };
  "verb/storageList": { params: Wire.StorageListParams; result: (Record<string, Wire.JsonValue>)[] };
  "verb/storageClear": { params: Wire.StorageClearParams; result: null };
  "verb/storageCreateNumericIndex": { params: Wire.StorageCreateNumericIndexParams; result: number };
  "verb/sharedStorageTake": { params: Wire.SharedStorageTakeParams; result: (Record<string, Wire.JsonValue>)[] };
  "verb/sharedStorageUpsert": { params: Wire.SharedStorageUpsertParams; result: null };
  "verb/sharedStorageRemove": { params: Wire.SharedStorageRemoveParams; result: boolean };
  "verb/sharedStorageGet": { params: Wire.SharedStorageGetParams; result: Record<string, Wire.JsonValue> | null };
  "verb/sharedStorageList": { params: Wire.SharedStorageListParams; result: (Record<string, Wire.JsonValue>)[] };
  "verb/sharedStorageClear": { params: Wire.SharedStorageClearParams; result: null };
  "verb/sharedStorageCreateNumericIndex": { params: Wire.SharedStorageCreateNumericIndexParams; result: number };
  "verb/computeGet": { params: Wire.ComputeGetParams; result: Wire.JsonValue };
  "verb/computeUpdate": { params: Wire.ComputeUpdateParams; result: null };
  "verb/sharedComputeGet": { params: Wire.SharedComputeGetParams; result: Wire.JsonValue };
  "verb/sharedComputeUpdate": { params: Wire.SharedComputeUpdateParams; result: null };
  "verb/policyHasBan": { params: Wire.PolicyHasBanParams; result: boolean };
  "verb/policyBanClient": { params: Wire.PolicyBanClientParams; result: null };
  "verb/policyUnbanClient": { params: Wire.PolicyUnbanClientParams; result: null };
  "verb/mcpUpdate": { params: Wire.McpUpdateParams; result: null };
}

/** Notifications that the core sends. */
export interface Notifications {
  "callback/notify": Wire.CallbackNotifyParams;
  "callback/release": Wire.CallbackReleaseParams;
  "event": Wire.BusEventParams;
  "log": Wire.LogParams;
  "session/changed": Wire.SessionChangedParams;
  "$/progress": Wire.ProgressParams;
  "$/cancelRequest": Wire.CancelParams;
  "$/ack": Wire.AckParams;
}
