/** `firebreak tracer status`: is it well, does it keep up with its ledger, and why not. One screen. */
import pc from 'picocolors';
import { plain } from '../../protocol/plain-text.js';
import type { HealthAnswer } from '../../tracer/api/messages.js';
import { duration } from '../times.js';
import { count } from './counts.js';

/** `nowMs` of the wall clock. */
export function tracerScreen(health: HealthAnswer, nowMs: number): string {
  const { well, problems, warnings, ledgerSeenAt, readOnAt, failure, entries, behind, contacts, people } =
    health;
  const ago = (at: number): string => `${duration(Math.max(0, nowMs / 1000 - at))} ago`;
  return [
    `${pc.bold('tracer')}  ${well ? pc.green('well') : pc.red('not well')}`,
    ...problems.map((problem) => row('problem', pc.red(plain(problem)))),
    row('ledger', ledgerSeenAt === null ? 'has not answered yet' : `answered ${ago(ledgerSeenAt)}`),
    row('read on', readOnAt === null ? 'not all of it taken in yet' : `all of it taken in ${ago(readOnAt)}`),
    ...(failure === null
      ? []
      : [row('', pc.yellow(`it failed since, and is tried again: ${plain(failure)}`))]),
    row('entries', `${count(entries)} verified, ${count(behind)} not taken in yet`),
    row('contacts', `${count(contacts)} of ${count(people)} people`),
    ...warnings.map((warning) => row('warning', pc.yellow(plain(warning)))),
  ].join('\n');
}

const row = (name: string, words: string): string => `  ${name.padEnd(10)} ${words}`;
