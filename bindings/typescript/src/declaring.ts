/** How a declaration is added, changed and read back, whatever its kind. */

import { core } from "./core/core.js";
import { DeclarationError } from "./generated/errors.js";
import { withDefaults } from "./kit/config.js";
import { inScope } from "./kit/scopes.js";

/** A kind of declarations. */
export interface Kind<Schema> {
  /** What it is called on the wire. */
  kind: string;
  /** The field with the name. */
  nameField: string;
  /** Whose names it shares, if not those of its own kind. */
  registry?: string;
  translate(schema: Schema): Record<string, unknown>;
}

/** Add a declaration. */
export function declare<Schema extends object>(kind: Kind<Schema>, schema: Schema): string {
  const name = nameOf(kind, schema);
  const registry = kind.registry ?? kind.kind;
  core.catalog.add({
    kind: kind.kind,
    registry,
    name,
    schema,
    translate: () => kind.translate(withDefaults(kind.kind, read(kind, name))),
  });
  inScope((scope) => scope.added(registry, name));
  return name;
}

/** Change fields of a declaration, here and in the core. */
export async function override<Schema extends object>(
  kind: Kind<Schema>,
  fields: Partial<Schema>,
): Promise<Schema> {
  const name = nameOf(kind, fields);
  const registry = kind.registry ?? kind.kind;
  const entry = core.catalog.find(registry, name);
  const before = entry?.schema;
  if (entry) entry.schema = { ...entry.schema, ...fields };
  if (entry && entry.sentOn === null) {
    inScope((scope) => scope.changed(registry, name, before, null));
    return entry.schema as Schema;
  }
  // Of a declaration of the core's own, only what is changed is known here.
  const translated = kind.translate({ ...entry?.schema, ...fields } as Schema);
  const wire = core.functions.encode(translated, `${registry}:${name}`) as Record<string, unknown>;
  const { overrideId } = await core.call("catalog/override", {
    kind: registry,
    name,
    fields: withoutName(wire, kind.nameField),
  });
  inScope((scope) => scope.changed(registry, name, before, overrideId));
  return (entry?.schema ?? fields) as Schema;
}

/** Return a declaration of this program. */
export function read<Schema extends object>(kind: Kind<Schema>, name: string): Schema {
  return core.catalog.get(kind.registry ?? kind.kind, name).schema as Schema;
}

function nameOf(kind: Kind<never>, schema: object): string {
  const name = (schema as Record<string, unknown>)[kind.nameField];
  if (typeof name === "string" && name !== "") return name;
  throw new DeclarationError(`a ${kind.kind} needs a \`${kind.nameField}\``);
}

function withoutName(wire: Record<string, unknown>, nameField: string): Record<string, unknown> {
  const { [nameField]: _name, ...rest } = wire;
  return rest;
}
