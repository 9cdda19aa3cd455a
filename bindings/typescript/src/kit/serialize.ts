/** Values as text for prompts. */

const LONGEST = 50;

/**
 * Return an object as lines `Title: value`; of several objects each is a block.
 *
 * Names become titles (`unitPrice` is `Unit price`), what is inside of another object has its title
 * before it, and values are cut at 50 characters.
 */
export function serialize(value: object | readonly object[]): string {
  const objects = Array.isArray(value) ? (value as object[]) : [value];
  return objects.map((one) => lines(one, []).join("\n")).join("\n\n");
}

function lines(value: object, before: readonly string[]): string[] {
  return Object.entries(value).flatMap(([name, one]) => {
    const path = [...before, name];
    const isObject = one !== null && typeof one === "object" && !Array.isArray(one);
    return isObject ? lines(one as object, path) : [`${title(path)}: ${short(one)}`];
  });
}

function title(path: readonly string[]): string {
  const words = path.flatMap((name) =>
    name
      .replace(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, " ")
      .split(/[\W_]+/)
      .filter(Boolean),
  );
  const text = words
    .map((word) => (word.length > 1 && word === word.toUpperCase() ? word : word.toLowerCase()))
    .join(" ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function short(value: unknown): string {
  const text = asText(value).split(/\s+/).join(" ").trim();
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 3)}...`;
}

function asText(value: unknown): string {
  if (value === null || value === undefined) return "none";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.map(asText).join(", ");
  if (typeof value !== "object") return String(value);
  return Object.entries(value)
    .map(([name, one]) => `${title([name])} ${asText(one)}`)
    .join(" ");
}
