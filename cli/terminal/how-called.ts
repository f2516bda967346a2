/** A command to type next, as it can be typed here: out of a clone of the sources there is no `firebreak` to call. */

const OUR_SCRIPTS: readonly (string | undefined)[] = ['demo', 'firebreak'];

/** "firebreak ARGS", or what runs the same where one of our npm scripts ran this. */
export function callOf(args: string, environment: NodeJS.ProcessEnv = process.env): string {
  const isFromSources = OUR_SCRIPTS.includes(environment['npm_lifecycle_event']);
  return `${isFromSources ? 'npm run --silent firebreak --' : 'firebreak'} ${args}`;
}
