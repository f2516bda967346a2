/** A command to type next, as it can be typed here: out of a clone of the sources there is no `firebreak` to call. */
import { basename, relative } from 'node:path';

const OUR_SCRIPTS: readonly (string | undefined)[] = ['demo', 'firebreak'];
/** Our program by the name of its file, with what runs it. */
const RUN_BY: ReadonlyMap<string, string> = new Map([
  ['main.js', 'node'],
  ['main.ts', 'npx tsx'],
]);

/** "firebreak ARGS", or what runs the same where one of our npm scripts ran this, or the `script` that Node was told to run. */
export function callOf(
  args: string,
  environment: NodeJS.ProcessEnv = process.env,
  script: string | undefined = process.argv[1],
): string {
  if (OUR_SCRIPTS.includes(environment['npm_lifecycle_event']))
    return `npm run --silent firebreak -- ${args}`;
  const runner = RUN_BY.get(basename(script ?? ''));
  return `${script === undefined || runner === undefined ? 'firebreak' : `${runner} ${shortest(script)}`} ${args}`;
}

/** From the folder one is in, where it is below that; in quotes where a shell would take it apart. */
function shortest(script: string): string {
  const fromHere = relative(process.cwd(), script);
  const path = fromHere.startsWith('..') ? script : fromHere;
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
