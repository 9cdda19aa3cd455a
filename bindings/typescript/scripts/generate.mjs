// Writes src/generated from wire.schema.json: the messages, the methods and the error classes.
// `node scripts/generate.mjs --check` only says whether they are in step.
import { readFile, writeFile } from "node:fs/promises";
import { compile } from "json-schema-to-typescript";

const root = new URL("../", import.meta.url);
const schema = JSON.parse(await readFile(new URL("wire.schema.json", root), "utf8"));
const NOTE = "// Made by scripts/generate.mjs from wire.schema.json; do not edit.\n\n";

function type(shape) {
  if (!shape || Object.keys(shape).length === 0) return "unknown";
  if (shape.$ref) return `Wire.${shape.$ref.split("/").at(-1)}`;
  if (shape.anyOf) return [...new Set(shape.anyOf.map(type))].join(" | ");
  if (shape.enum) return shape.enum.map((one) => JSON.stringify(one)).join(" | ");
  if (shape.type === "array") return `(${type(shape.items)})[]`;
  if (shape.type === "object") return `Record<string, ${type(shape.additionalProperties)}>`;
  return shape.type === "integer" ? "number" : shape.type;
}

async function messages() {
  const { methods: _methods, errors: _errors, protocol: _protocol, ...plain } = schema;
  const definitions = { ...plain.$defs, JsonValue: { tsType: "unknown" } };
  const open = Object.fromEntries(
    Object.entries(definitions).map(([name, one]) => [
      name,
      one.type === "object" && one.additionalProperties === undefined
        ? { ...one, additionalProperties: false }
        : one,
    ]),
  );
  return compile({ ...plain, $defs: open }, "Wire", {
    bannerComment: NOTE.trim(),
    additionalProperties: false,
    strictIndexSignatures: false,
    unreachableDefinitions: true,
    style: { singleQuote: false, tabWidth: 2, printWidth: 100 },
  });
}

function methods() {
  const lines = [NOTE, 'import type * as Wire from "./wire.js";\n\n'];
  lines.push(
    `/** The version of the protocol. */\nexport const PROTOCOL = ${schema.protocol};\n\n`,
  );
  lines.push("/** Requests that the core answers. */\nexport interface Requests {\n");
  const entries = Object.entries(schema.methods);
  for (const [name, one] of entries) {
    if (one.to !== "core" || one.result === null) continue;
    const result = one.result.type === "null" ? "null" : type(one.result);
    lines.push(`  "${name}": { params: ${type(one.params)}; result: ${result} };\n`);
  }
  lines.push("}\n\n/** Notifications that the core sends. */\nexport interface Notifications {\n");
  for (const [name, one] of entries) {
    if (one.to === "core" || one.result !== null) continue;
    lines.push(`  "${name}": ${type(one.params)};\n`);
  }
  lines.push("}\n");
  return lines.join("");
}

function errors() {
  const byKind = new Map(schema.errors.map((one) => [one.kind, one]));
  const done = new Set(["swarm_error"]);
  const lines = [NOTE, 'import { SwarmError } from "../errors/base.js";\n\n'];
  const write = (one) => {
    if (done.has(one.kind)) return;
    const parent = byKind.get(one.parent);
    write(parent);
    done.add(one.kind);
    lines.push(`/** ${one.description} */\nexport class ${one.name} extends ${parent.name} {\n`);
    lines.push(`  static override readonly kind: string = "${one.kind}";\n`);
    lines.push(`  static override readonly code: number = ${one.code};\n}\n\n`);
  };
  schema.errors.forEach(write);
  lines.push("/** Every error class by the `kind` that stands on the wire. */\n");
  lines.push("export const ERRORS: Readonly<Record<string, typeof SwarmError>> = {\n");
  for (const one of schema.errors) lines.push(`  ${one.kind}: ${one.name},\n`);
  lines.push("};\n");
  return lines.join("");
}

const files = { "wire.ts": await messages(), "methods.ts": methods(), "errors.ts": errors() };
let isStale = false;
for (const [name, text] of Object.entries(files)) {
  const place = new URL(`src/generated/${name}`, root);
  if (process.argv.includes("--check")) {
    const old = await readFile(place, "utf8").catch(() => "");
    if (old !== text) {
      isStale = true;
      console.error(`src/generated/${name} is out of step; run: npm run generate`);
    }
  } else {
    await writeFile(place, text);
  }
}
process.exitCode = isStale ? 1 : 0;
