/** Who looked at traces that reached a tag, in lines for its wearer, and as JSON. Times are in the reader's zone. */
import pc from 'picocolors';
import type { ShownQuestion } from '../../protocol/payload/access-question.js';
import type { AuditAnswer, AuditLook, UnreadAccess, Wholeness } from '../../protocol/tag/audit-answer.js';
import { toHex } from '../../protocol/bytes.js';
import { plain, plainJson } from '../../protocol/plain-text.js';
import { callOf } from '../terminal/how-called.js';
import { duration, localTime, localZone } from '../terminal/times.js';
import { counted } from './counts.js';

const QUESTIONS: Readonly<Record<ShownQuestion['question'], string>> = {
  forward: 'who may have been infected by a case',
  backward: 'where a case may have been infected',
  both: 'where a case may have been infected, and who else from there',
  contacts: 'the contacts of one person',
  path: 'how two people are connected',
  cluster: 'what several cases have in common',
};

const UNREAD: Readonly<Record<UnreadAccess['why'], string>> = {
  pruned: 'what it records is no longer kept',
  missing: 'the ledger does not hold what it records, or holds it damaged',
  unreadable: 'what it records cannot be opened with the audit key',
};

const ANSWERED: Readonly<Record<Wholeness, readonly string[]>> = {
  yes: [],
  no: ['  answered  no: not all of this look is in the log, and without that there is no answer'],
  unknown: ['  answered  cannot be told: parts of this look are missing, or cannot be read'],
};

export interface ShownAudit {
  readonly answer: AuditAnswer;
  /** Entries of the log when it was read. */
  readonly entries: number;
  /** The log's public key. */
  readonly logKey: string;
  /** The folder, where the ledger can be read with it; absent on the machine of a tag alone. */
  readonly dataDir?: string;
}

export function auditLines({ answer, entries, ...ledger }: ShownAudit): string[] {
  const { looks, older, unread, unreadCount } = answer;
  const lines = looks.flatMap((look) => ['', ...lookLines(look)]);
  if (older > 0)
    lines.push(
      '',
      `${counted(older, 'older look is', 'older looks are')} not listed here: an answer has no room for more.`,
    );
  if (unreadCount > 0) lines.push('', ...unreadLines(unread, unreadCount));
  const asOf = pc.dim(
    `the log was read up to its ${counted(entries, 'entry', 'entries')}; times are ${localZone()}`,
  );
  const check = looks.length > 0 ? [pc.dim(`that a look is in the log: ${checkOf(ledger)}`)] : [];
  return [summaryOf(looks.length + older, unreadCount), ...lines, '', asOf, ...check];
}

const checkOf = ({ dataDir, logKey }: Pick<ShownAudit, 'dataDir' | 'logKey'>): string =>
  dataDir === undefined
    ? `ask who runs the ledger for the proof of entry ENTRY, then ${callOf(`ledger check-proof FILE --vkey ${logKey}`)}`
    : callOf(`ledger prove --data-dir ${dataDir} --index ENTRY`);

function summaryOf(count: number, unreadCount: number): string {
  if (count === 1) return 'One look was at a trace that reached your tag, or was about it:';
  if (count > 1) return `${count} looks were at traces that reached your tag, or were about it:`;
  return unreadCount > 0
    ? 'No look that can be read was at a trace that reached your tag.'
    : 'Nobody has looked at a trace that reached your tag.';
}

function lookLines(look: AuditLook): string[] {
  const { role, whole, writtenAtMs, appendedAtMs, entries, asked } = look;
  const where = entries.map(({ index, leaf }) => `${index}, leaf hash ${toHex(leaf)}`);
  return [
    `${pc.bold(localTime(writtenAtMs / 1000))}  ${asked ? plain(asked.officer) : 'an officer whose entry cannot be read'}`,
    ...(asked ? [`  why       ${plain(asked.purpose)}`, ...askedLines(asked)] : []),
    `  you       ${placeOf(role, asked)}`,
    ...ANSWERED[whole],
    `  logged    ${localTime(appendedAtMs / 1000)}`,
    ...where.map((entry) => `  entry     ${entry}`),
  ];
}

/** Where the tag stands in a look. Whom a path was asked to is named also where none led there. */
function placeOf(role: AuditLook['role'], asked: ShownQuestion | undefined): string {
  if (role === 'case') {
    return asked?.question === 'cluster'
      ? 'your tag is one of the cases that were asked about'
      : 'your tag is the one that was asked about';
  }
  return asked?.question === 'path'
    ? 'your tag is on the path, or it was asked whether one leads to it'
    : 'your tag is in the answer';
}

function askedLines(asked: ShownQuestion): string[] {
  const { question, hops, from, to, minSeconds, latentSeconds, infectiousSeconds, attenuation, presence } = asked; // prettier-ignore
  const terms = [
    `within ${counted(hops, 'hop')}`,
    `contacts of at least ${duration(minSeconds)} (${attenuation})`,
    `passed on from ${duration(latentSeconds)} after exposure`,
    ...(infectiousSeconds === null ? [] : [`for ${duration(infectiousSeconds)}`]),
    ...(presence ? ['being at one place counts'] : []),
  ];
  const limits = question === 'contacts' ? 'every contact, however short' : terms.join(', ');
  return [`  asked     ${QUESTIONS[question]}, ${windowWords(from, to)}`, `            ${limits}`];
}

/** A question that leaves its window open is about all that is known; a tracer that knows nothing records the moment 0. */
const windowWords = (from: number, to: number): string =>
  from === 0 && to === 0
    ? 'over all that was known, which was nothing'
    : `from ${localTime(from)} to ${localTime(to)}`;

function unreadLines(unread: readonly UnreadAccess[], count: number): string[] {
  const more = count - unread.length;
  return [
    `${count} ${count === 1 ? 'entry records a look' : 'entries record looks'} that nobody can be shown; they may be about anybody:`,
    ...unread.map(({ index, appendedAtMs, why }) => `  entry ${index}, ${localTime(appendedAtMs / 1000)}: ${UNREAD[why]}`), // prettier-ignore
    ...(more > 0 ? [`  and ${more} before these`] : []),
  ];
}

const seconds = (ms: number): number => Math.floor(ms / 1000);

/** Times are unix seconds, leaf hashes hex; in plain characters, so that a terminal shows it all. */
export function auditJson(tag: number, { answer, entries }: Pick<ShownAudit, 'answer' | 'entries'>): string {
  const { looks, older, unread, unreadCount } = answer;
  const shown = {
    tag: String(tag),
    entries,
    looks: looks.map(({ writtenAtMs, appendedAtMs, entries: logged, asked, ...look }) => ({
      writtenAt: seconds(writtenAtMs),
      appendedAt: seconds(appendedAtMs),
      ...look,
      asked: asked ?? null,
      ledger: logged.map(({ index, leaf }) => ({ index, leaf: toHex(leaf) })),
    })),
    older,
    unread: unread.map(({ index, appendedAtMs, why }) => ({ index, appendedAt: seconds(appendedAtMs), why })),
    unreadCount,
  };
  return plainJson(JSON.stringify(shown, undefined, 2));
}
