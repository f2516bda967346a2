/** From a request that may be answered to the sealed pack (protocol.md §7), with the issuance on record (§10, type 9). */
import type { TagNumber } from '../../protocol/brands.js';
import { equalBytes } from '../../protocol/bytes.js';
import { sealCredentialPack, signCredentialPack, type PackDay } from '../../protocol/tag/credential-pack.js';
import { issueDayKeyStatement } from '../../protocol/session/day-key-statement.js';
import type { Signer } from '../../protocol/crypto/ed25519.js';
import { FirebreakError } from '../../protocol/errors.js';
import { credentialsRoot } from '../../protocol/payload/credentials.js';
import type { AskedCredentials, AskedDay } from './asked-credentials.js';
import { issueDay } from './credentials.js';
import { forAsker } from '../days/day-key-store.js';
import type { DaysAhead } from '../days/days-ahead.js';
import { LostDayKeys, type DayKeyring } from '../days/day-keys.js';
import type { DayKeys } from '../../protocol/keys.js';
import type { AuthorityEntries } from '../entries.js';
import type { IssuedDays, TagRegistry } from './tag-registry.js';

/** Of one tag. A tag makes a new request each time an answer is lost; it needs one in five days. */
const MAX_REQUESTS_A_DAY = 16;

export interface IssuanceDeps {
  readonly issuer: Signer;
  readonly keyring: DayKeyring;
  readonly tags: TagRegistry;
  readonly entries: AuthorityEntries;
  readonly daysAhead: Pick<DaysAhead, 'say'>;
}

/**
 * The sealed pack for a tag. Entry first, then registry, then the tag: a credential that exists outside has its entry on
 * disk, and a crash between the two leaves a number that can still be enrolled.
 *
 * Throws `day` for a day that has no keys and gets none, `exists` for a day on which the tag has credentials for other epoch keys, `busy` for a tag that had too many
 * requests answered today, `sealing` for a reply key that nothing can be sealed to.
 */
export async function issuePack(
  tag: TagNumber,
  issued: IssuedDays,
  asked: AskedCredentials,
  deps: IssuanceDeps,
): Promise<Uint8Array> {
  const conflict = asked.days.find((day) => issued.has(day.day) && !hasKeysOf(issued, day));
  if (conflict)
    throw new FirebreakError(
      'exists',
      `this tag has credentials of day ${conflict.day} for other epoch keys`,
    );
  const { requestHash, askedOn: onDay } = asked;
  const isRecorded = await deps.tags.wasAnswered(tag, requestHash);
  if (!isRecorded) await requireRoom(tag, onDay, deps.tags);
  const { pack, root } = await makePack(tag, asked, deps);
  const sealed = sealCredentialPack(pack, asked.replyPublicKey);
  if (!isRecorded) {
    await deps.entries.credentialsIssued(requestHash, root);
    const days = new Map(asked.days.map(({ day, keysHash }) => [day, keysHash]));
    await deps.tags.record(tag, { onDay, requestHash, days });
  }
  return sealed;
}

/** Each request is an entry of the log for ever, also one for keys that were certified before. */
async function requireRoom(tag: TagNumber, day: number, tags: TagRegistry): Promise<void> {
  if ((await tags.answeredOn(tag, day)) < MAX_REQUESTS_A_DAY) return;
  throw new FirebreakError(
    'busy',
    `${MAX_REQUESTS_A_DAY} requests of this tag were answered today; it may ask again tomorrow`,
  );
}

const NOTHING = new Uint8Array(0);

/** Whether credentials of this day were issued for these epoch keys. */
export function hasKeysOf(issued: IssuedDays, { day, keysHash }: AskedDay): boolean {
  return equalBytes(issued.get(day) ?? NOTHING, keysHash);
}

async function makePack(
  tag: TagNumber,
  { requestHash, firstDay, days }: AskedCredentials,
  deps: IssuanceDeps,
): Promise<{ readonly pack: Uint8Array; readonly root: Uint8Array }> {
  const { issuer } = deps;
  const packDays: PackDay[] = [];
  const bodies: Uint8Array[] = [];
  for (const { day, epochPublicKeys } of days) {
    const keys = await forAsker(keysToIssue(day, deps));
    const issued = issueDay(issuer, keys, tag, epochPublicKeys);
    packDays.push({
      statement: issueDayKeyStatement(issuer, day, keys.sealingPublicKey),
      epochs: issued.epochs,
    });
    bodies.push(...issued.bodies);
  }
  const pack = signCredentialPack(issuer, { requestHash, firstDay, days: packDays });
  return { pack, root: credentialsRoot(bodies) };
}

/** One day without keys must not keep a tag from the days around it: it is told which day that is. */
async function keysToIssue(day: number, { keyring, daysAhead }: IssuanceDeps): Promise<DayKeys> {
  return keyring.keysOf(day).catch((cause: unknown) => {
    const isOfThisDay =
      cause instanceof FirebreakError && (cause.code === 'day' || cause instanceof LostDayKeys);
    if (!isOfThisDay) throw cause;
    daysAhead.say(day, cause);
    const advice = 'ask for days before or after it';
    throw new FirebreakError('day', `no credentials can be issued for day ${day}; ${advice}`, { cause });
  });
}
