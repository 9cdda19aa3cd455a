/** Ties a test to rows of `tests/requirements.yaml`, which both languages share. */

/** Return ids as a part of a test's title; `scripts/requirements.py` finds them there. */
export function requirement(...ids: string[]): string {
  return `(${ids.join(", ")})`;
}
