/**
 * The program that the core starts for a document that names functions as `discount.ts#discount`:
 * `node [--import tsx] host.js FILE`, with a socket in `WIKISWARM_FD`. It ends with the core.
 */

import { serve } from "./hosting.js";

const file = process.argv[2];
if (file === undefined || !process.env.WIKISWARM_FD) {
  process.stderr.write(
    "wikiswarm/host is started by the core, for documents that name functions\n",
  );
  process.exit(2);
}
// The file sees the arguments that it would have as a program.
process.argv.splice(1, 2, file);
await serve(file);
