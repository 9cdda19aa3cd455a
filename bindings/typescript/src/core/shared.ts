/**
 * What a process has once, however often this package is loaded in it.
 *
 * A file that is compiled to CommonJS gets a copy of the package beside that of its ESM
 * neighbours; both have to talk over the one connection to the core.
 */

/** Return the one thing of a name, made by whoever asks first. */
export function shared<T>(name: string, make: () => T): T {
  const key = Symbol.for(`wikiswarm.${name}`);
  const place = globalThis as unknown as Record<symbol, T | undefined>;
  const found = place[key] ?? make();
  place[key] = found;
  return found;
}
