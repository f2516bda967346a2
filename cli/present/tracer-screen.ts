/** `firebreak tracer status`: can it answer, does it keep up with its ledger, and why not. One screen. */
import pc from 'picocolors';
import { plain } from '../../protocol/plain-text.js';
import type { HealthAnswer } from '../../tracer/api/messages.js';
import { callOf } from '../terminal/how-called.js';
import { duration } from '../terminal/times.js';
import { count } from './counts.js';
import { WELL } from './heard-of.js';

/** A ledger that gateways report to grows more often. */
const QUIET_SECONDS = 900;

/** `nowMs` of the wall clock. */
export function tracerScreen(health: HealthAnswer, nowMs: number): string {
  const { problems, warnings, readOnAt, failure, entries, behind, contacts, people } = health;
  const ago = (at: number): string => agoOf(at, nowMs / 1000);
  return [
    `${pc.bold('tracer')}  ${verdict(health)}`,
    ...problems.map((problem) => row('problem', pc.red(plain(problem)))),
    ...ledgerRows(health, nowMs / 1000),
    row('read on', readOnAt === null ? 'not all of it taken in yet' : `all of it taken in ${ago(readOnAt)}`),
    ...(failure === null ? [] : [row('', pc.yellow('it failed since, and is tried again'))]),
    row('entries', `${count(entries)} verified, ${count(behind)} published and not taken in yet`),
    row('contacts', `${count(contacts)} of ${count(people)} people`),
    ...reportRows(health),
    ...warnings.map((warning) => row('warning', pc.yellow(plain(warning)))),
  ].join('\n');
}

/** A question reads on first: where that fails, it is refused. Health calls a tracer ill only when it has failed for long. */
export const isTracerWell = ({ well, failure }: HealthAnswer): boolean => well && failure === null;

function verdict(health: HealthAnswer): string {
  if (health.failure !== null) return pc.red(`no trace can be answered: ${plain(health.failure)}`);
  return isTracerWell(health) ? WELL : pc.red('not well');
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
