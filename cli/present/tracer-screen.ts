/** `firebreak tracer status`: is it well, does it keep up with its ledger, and why not. One screen. */
import pc from 'picocolors';
import { plain } from '../../protocol/plain-text.js';
import type { HealthAnswer } from '../../tracer/api/messages.js';
import { callOf } from '../terminal/how-called.js';
import { duration } from '../terminal/times.js';
import { count } from './counts.js';

/** A ledger that gateways report to grows more often. */
const QUIET_SECONDS = 900;

/** `nowMs` of the wall clock. */
export function tracerScreen(health: HealthAnswer, nowMs: number): string {
  const { well, problems, warnings, readOnAt, failure, entries, behind, contacts, people } = health;
  const ago = (at: number): string => agoOf(at, nowMs / 1000);
  return [
    `${pc.bold('tracer')}  ${well ? pc.green('well') : pc.red('not well')}`,
    ...problems.map((problem) => row('problem', pc.red(plain(problem)))),
    ...ledgerRows(health, nowMs / 1000),
    row('read on', readOnAt === null ? 'not all of it taken in yet' : `all of it taken in ${ago(readOnAt)}`),
    ...(failure === null
      ? []
      : [row('', pc.yellow(`it failed since, and is tried again: ${plain(failure)}`))]),
    row('entries', `${count(entries)} verified, ${count(behind)} published and not taken in yet`),
    row('contacts', `${count(contacts)} of ${count(people)} people`),
    ...reportRows(health),
    ...warnings.map((warning) => row('warning', pc.yellow(plain(warning)))),
  ].join('\n');
}

/** Only what is not as it should be: no row where nothing is, and for a tracer that does not say. */
function reportRows({ clones, reportGaps, forgedRecords, refusedPresenceReports }: HealthAnswer): string[] {
  const said = (many: number | undefined, words: string): string[] =>
    many === undefined || many === 0 ? [] : [`${count(many)} ${words}`];
  const words = [
    ...said(clones, 'at odds with another of their tag and number'),
    ...said(reportGaps, 'named by others and not here yet'),
    ...said(refusedPresenceReports, 'of gateways refused'),
    ...said(forgedRecords, 'records replayed or forged'),
  ];
  return words.length === 0 ? [] : [row('reports', words.join(', '))];
}

/** That it answers does not say that readers see all it holds: that much is known where it is silent about it for long. */
function ledgerRows({ ledgerSeenAt, grewAt }: HealthAnswer, now: number): string[] {
  if (ledgerSeenAt === null) return [row('ledger', 'has not answered yet')];
  const answered = row('ledger', `answered ${agoOf(ledgerSeenAt, now)}`);
  if (grewAt === null || ledgerSeenAt - grewAt < QUIET_SECONDS) return [answered];
  const quiet = `it has published nothing new for ${duration(ledgerSeenAt - grewAt)}`;
  return [
    answered,
    row('', pc.yellow(`${quiet}; ${callOf('ledger status')} says whether readers wait for witnesses`)),
  ];
}

const agoOf = (at: number, now: number): string => `${duration(Math.max(0, now - at))} ago`;
const row = (name: string, words: string): string => `  ${name.padEnd(10)} ${words}`;
