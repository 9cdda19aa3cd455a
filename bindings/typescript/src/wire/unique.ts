/** Refuses requests with an id that is in use: the JSON-RPC library would lose one of the two. */

import {
  type DataCallback,
  type Disposable,
  ErrorCodes,
  Message,
  type MessageReader,
  type MessageWriter,
} from "vscode-jsonrpc/node";

/** Return a reader and a writer that know which requests of the core are not answered yet. */
export function withUniqueIds(
  reader: MessageReader,
  writer: MessageWriter,
): { reader: MessageReader; writer: MessageWriter } {
  const open = new Set<string | number | null>();
  const refuse = (id: string | number | null): void => {
    const error = { code: ErrorCodes.InvalidRequest, message: `the id ${id} is in use` };
    const answer = { jsonrpc: "2.0", id, error };
    writer.write(answer).catch(() => undefined);
  };
  const unique: MessageReader = {
    onError: reader.onError,
    onClose: reader.onClose,
    onPartialMessage: reader.onPartialMessage,
    listen: (callback: DataCallback): Disposable =>
      reader.listen((message) => {
        if (Message.isRequest(message)) {
          if (open.has(message.id)) return refuse(message.id);
          open.add(message.id);
        }
        callback(message);
      }),
    dispose: () => reader.dispose(),
  };
  const answering: MessageWriter = {
    onError: writer.onError,
    onClose: writer.onClose,
    write: (message) => {
      if (Message.isResponse(message)) open.delete(message.id);
      return writer.write(message);
    },
    end: () => writer.end(),
    dispose: () => writer.dispose(),
  };
  return { reader: unique, writer: answering };
}
