/**
 * Credentials for tags (protocol.md §7, "Enrolment and refresh"): the first pack for a request by wire, later ones for a
 * request signed with an epoch key that is certified now (docs/decisions/0001-renewal-by-report.md). A tag whose days have all
 * passed has no such key, and is given its first pack once more.
 *
 * Asked again with the same epoch keys, for an answer that was lost, the authority gives the same credentials again; after
 * a midnight, those of the days still to come and of the days that are asked for besides. A day is never certified for
 * two sets of keys of one tag.
 */
import type { TagNumber } from '../../protocol/brands.js';
import { toHex } from '../../protocol/bytes.js';
import type { Clock } from '../../protocol/clock.js';
import { openCredentialRequest, type CredentialRequest } from '../../protocol/tag/credential-request.js';
import { FirebreakError } from '../../protocol/errors.js';
import { dayOf } from '../../protocol/time.js';
import { readAsked, type AskedCredentials } from './asked-credentials.js';
import { DailyCount } from './daily-count.js';
import { forAsker } from '../days/day-key-store.js';
import { hasKeysOf, issuePack, type IssuanceDeps } from './issuance.js';
import { keyedLock, type KeyedLock } from './keyed-lock.js';
import { openRenewal } from './renewal.js';
import { hasLapsed, HIGHEST_WISH, type IssuedDays } from './tag-registry.js';

export interface Enrolment {
  /**
   * Answers a first request, under the number the enrolment desk gave or the next free one. The pack is sealed.
   *
   * Throws `format`, `signature`, `day` for days that are past or too far ahead, `exists` for a number that has credentials
   * of today or a later day, `input` for one that is too high to be given by hand, `busy` for a tag that was answered too
   * often today.
   */
  enrol(request: Uint8Array, tag?: TagNumber): Promise<Uint8Array>;
  /**
   * Answers a request of kind 3.
   *
   * Throws what openRenewal throws, `day`, `exists` for a day that the tag has credentials of for other keys, and `busy` for
   * a tag that was answered too often today.
   */
  renew(report: Uint8Array): Promise<Uint8Array>;
}

export interface EnrolmentDeps extends IssuanceDeps {
  readonly clock: Clock;
  readonly retentionDays: number;
  /** Credentials are issued for days before today + horizonDays. */
  readonly horizonDays: number;
  /** None are issued for this day and later ones: the sunset. */
  readonly sunsetDay: number | undefined;
}

interface Desk extends EnrolmentDeps {
  readonly lock: KeyedLock;
  readonly answers: DailyCount;
}

const NOTHING_ISSUED: IssuedDays = new Map();
const tagLock = (tag: TagNumber) => `tag/${tag}`;

export function openEnrolment(given: EnrolmentDeps): Enrolment {
  const lock = keyedLock();
  const deps: Desk = { ...given, lock, answers: new DailyCount() };
  return {
    enrol: async (bytes, wished) => {
      const asked = askedNow(openCredentialRequest(bytes), deps);
      return lock.run(`keys/${toHex(asked.firstKeysHash)}`, () => enrol(asked, wished, deps));
    },
    renew: async (bytes) => {
      const { issuer, clock, retentionDays, keyring } = deps;
      const context = { issuerPublicKey: issuer.publicKey, receivedAtMs: clock.nowMs(), retentionDays };
      const { tag, request } = await openRenewal(bytes, {
        ...context,
        keysOf: (day) => forAsker(keyring.existingKeysOf(day)),
      });
      const asked = askedNow(request, deps);
      return lock.run(tagLock(tag), async () => {
        deps.answers.note(tag, asked.askedOn);
        return issuePack(tag, (await deps.tags.issuedDays(tag)) ?? NOTHING_ISSUED, asked, deps);
      });
    },
  };
}

function askedNow(
  request: CredentialRequest,
  { clock, horizonDays, sunsetDay }: EnrolmentDeps,
): AskedCredentials {
  const today = dayOf(clock.nowMs() / 1000);
  return readAsked(request, { today, horizonDays, sunsetDay });
}

async function enrol(
  asked: AskedCredentials,
  wished: TagNumber | undefined,
  deps: Desk,
): Promise<Uint8Array> {
  const known = await deps.tags.enrolledWith(asked.firstKeysHash);
  if (known !== undefined && wished !== undefined && known !== wished) {
    throw new FirebreakError('exists', 'these epoch keys are enrolled under another tag number');
  }
  const tag = known ?? wished;
  return tag === undefined
    ? enrolNext(asked, deps)
    : deps.lock.run(tagLock(tag), () => enrolAs(tag, asked, deps));
}

/** The desk may give out by hand the very number that comes next: then the one after it is tried. */
async function enrolNext(asked: AskedCredentials, deps: Desk): Promise<Uint8Array> {
  for (;;) {
    const tag = await deps.tags.nextFree();
    const pack = await deps.lock.run(tagLock(tag), async () => {
      const isTaken = (await deps.tags.issuedDays(tag)) !== undefined;
      return isTaken ? undefined : issuePack(tag, NOTHING_ISSUED, asked, deps);
    });
    if (pack) return pack;
  }
}

async function enrolAs(tag: TagNumber, asked: AskedCredentials, deps: Desk): Promise<Uint8Array> {
  const issued = await deps.tags.issuedDays(tag);
  if (issued === undefined && tag > HIGHEST_WISH)
    throw new FirebreakError('input', `a tag number given by hand is at most ${HIGHEST_WISH}`);
  const [first] = asked.days; // with whose key the request is signed
  if (issued && !hasLapsed(issued, asked.askedOn) && !(first && hasKeysOf(issued, first))) {
    throw new FirebreakError(
      'exists',
      'this tag number has credentials of today or later; its tag renews with a request of kind 3',
    );
  }
  deps.answers.note(tag, asked.askedOn);
  return issuePack(tag, issued ?? NOTHING_ISSUED, asked, deps);
}
