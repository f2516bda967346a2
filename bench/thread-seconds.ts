/** Where in this process the time goes. */
import { readdirSync, readFileSync } from 'node:fs';

/** CPU seconds of each thread of this process so far, the main one first; Linux only, empty elsewhere. */
export function threadSeconds(): ReadonlyMap<string, number> {
  const seconds = new Map<string, number>();
  if (process.platform !== 'linux') return seconds;
  for (const thread of readdirSync('/proc/self/task')) {
    const fields = readFileSync(`/proc/self/task/${thread}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
    seconds.set(thread, (Number(fields[11]) + Number(fields[12])) / 100);
  }
  return seconds;
}
