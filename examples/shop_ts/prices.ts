/** The part of the shop that is in TypeScript: functions that swarm.yaml names. */

import { type IToolCallParams, question } from "wikiswarm";

const PRICES: Record<string, number> = { tea: 4.5, coffee: 7 };

/** What a tool's function gets is what `addTool` gives it, and what it returns is its output. */
export function price({ params }: IToolCallParams<{ article?: string }>): string {
  const article = params.article ?? "tea";
  const known = PRICES[article];
  return known === undefined ? `We sell no ${article}.` : `A box of ${article} costs ${known} euros.`;
}

/** Ask a wiki of the document, whatever language answers there. */
export async function delivery({ clientId, agentName }: IToolCallParams): Promise<string> {
  const known = await question("When does an order arrive?", clientId, agentName, "shop_wiki");
  return `${known} It is free from ${PRICES.tea ? 10 * PRICES.tea : 50} euros on.`;
}

/** Each answer passes here before it is shown. */
export function sign(text: string): string {
  return `${text} Your tea shop`;
}
