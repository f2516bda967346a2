/** What came of a notice or a revocation, and how the authority that gave it is, in lines for a person. */
import type { AuthorityStatus, NoticeReach, RevocationReach } from '../../authority/authority.js';
import type { Notified } from '../../authority/notices/notice-desk.js';
import type { CourierStatus } from '../../courier/courier.js';
import { MAX_NOTICES, MAX_NOTICES_BYTES } from '../../protocol/tag/notice-list.js';
import { localTime } from '../terminal/times.js';
import { counted } from './counts.js';
import { reasonsInWords, unreachable, waitedMs, waitingWords } from './delivery-words.js';

/** The part of the room for notices from which on an officer is told how much is left. */
const NEARLY_FULL = 0.75;
/** A ledger that is well has answered by then: nobody is alarmed before. */
const SOON_MS = 10_000;
/** Tag numbers named in one line. */
const MAX_NAMED = 10;

/** `tags` is how many the notice is for. */
export function notifiedLines(tags: number, notified: Notified, reach: NoticeReach): string[] {
  const { number, unreachable, dropped } = notified;
  return [
    `notice ${number}, for ${counted(tags, 'tag')}, ${REACHED[reach]}`,
    ...(unreachable.length > 0 ? [`WARN ${unreachableWords(unreachable)}`] : []),
    ...(dropped.length > 0
      ? [
          `taken off to make room: ${dropped.join(', ')}; tags that have met no gateway since are not warned by them`,
        ]
      : []),
    ...roomLines(notified),
  ];
}

const REACHED: Readonly<Record<NoticeReach, string>> = {
  out: 'is published; tags see it at their next gateway',
  logged: 'is in the ledger, and goes out when the broker can be reached; it has not yet',
  waits: 'is kept here, and goes out when the ledger can be reached; it has not yet. Do not give it again',
  refused: 'was refused by the ledger, and nobody is warned by it: the log of the authority says why',
};

/** `gatewayId` in hex; `before` is the date of a revocation that it had. */
export const revokedLine = (gatewayId: string, reach: RevocationReach, before?: string): string =>
  reach === 'out'
    ? `gateway ${gatewayId} ${before === undefined ? 'is revoked' : `was revoked already, on ${before}`}`
    : `the revocation of gateway ${gatewayId} ${REVOKED[reach]}`;

/** Gateways are told whatever the ledger says. */
const REVOKED: Readonly<Record<Exclude<RevocationReach, 'out'>, string>> = {
  logged: 'is in the ledger, and goes out to gateways when the broker can be reached; it has not yet',
  waits:
    'is published to gateways where the broker can be reached; the ledger has not taken it yet, and takes the gateway’s reports until it does. Do not give it again',
  refused:
    'was refused by the ledger: the log of the authority says why; gateways that reach the broker go by it all the same',
};

function unreachableWords(tags: readonly number[]): string {
  const more = tags.length > MAX_NAMED ? ` and ${tags.length - MAX_NAMED} more` : '';
  const named = `${tags.slice(0, MAX_NAMED).join(', ')}${more}`;
  return tags.length === 1
    ? `tag ${named} has no credentials for that day and cannot tell that the notice is for it: tell the person otherwise`
    : `tags ${named} have no credentials for that day and cannot tell that the notice is for them: tell the persons otherwise`;
}

function roomLines({ held, heldBytes }: Notified): string[] {
  const part = Math.max(held / MAX_NOTICES, heldBytes / MAX_NOTICES_BYTES);
  if (part < NEARLY_FULL) return [];
  return [
    `WARN ${Math.floor(part * 100)} % of the room for notices is taken (${held} of them): name more tags in one notice`,
  ];
}

/** `nowMs` is deployment time. */
export function healthLine(
  courier: CourierStatus,
  { noticesWaiting, gateways }: AuthorityStatus,
  nowMs: number,
): string {
  const { online, depth, keptAside, keptAsideReasons } = courier;
  const aside =
    keptAside > 0
      ? `; ${entries(keptAside)} refused for good by the ledger (${reasonsInWords(keptAsideReasons)})`
      : '';
  if (depth === 0) return `${online ? 'well' : `${unreachable(courier)}; nothing waits for it`}${aside}`;
  const warnings =
    noticesWaiting > 0
      ? `; ${counted(noticesWaiting, 'notice')} among them ${noticesWaiting === 1 ? 'warns' : 'warn'} nobody yet`
      : '';
  const unrevoked = gateways.filter(({ revocation }) => revocation === 'waits').length;
  const revocations =
    unrevoked > 0
      ? `; ${counted(unrevoked, 'revocation')} among them ${unrevoked === 1 ? 'is' : 'are'} not in the ledger yet`
      : '';
  const waiting = `${waitingWords(entries(depth), courier, nowMs)}${warnings}${revocations}`;
  if (online && waitedMs(courier, nowMs) <= SOON_MS && warnings + revocations === '')
    return `well; ${waiting}${aside}`;
  return `${online ? 'the ledger has not answered yet' : unreachable(courier)}: ${waiting}${aside}`;
}

const entries = (number: number): string => counted(number, 'entry', 'entries');

export function lastNoticeLine({ lastNotice, noticesOnOffer }: AuthorityStatus): string {
  if (lastNotice === undefined) return 'no notice is on offer to tags';
  const { number, givenMs, state } = lastNotice;
  const when = givenMs === 0 ? '' : `, given ${localTime(givenMs / 1000)}`;
  return `last notice: ${number}${when}${LEDGER_STATE[state]}; ${counted(noticesOnOffer, 'notice')} on offer to tags`;
}

/** What the ledger said, behind what was given. */
export const LEDGER_STATE = {
  logged: '',
  waits: ', waits for the ledger',
  refused: ', refused by the ledger',
} as const;
