/**
 * Credentials for tags (protocol.md §7, "Enrolment and refresh"): the first pack for a request by wire, later ones for a
 * request signed with an epoch key that is certified now (docs/decisions/0001-renewal-by-report.md).
 *
 * Asked again with the same epoch keys, for an answer that was lost, the authority gives the same credentials again; after
 * a midnight, those of the days still to come and of the days that are asked for besides. A day is never certified for
 * two sets of keys of one tag.
 */
import type { TagNumber } from '../protocol/brands.js';
import { toHex } from '../protocol/bytes.js';
import type { Clock } from '../protocol/clock.js';
import { openCredentialRequest, type CredentialRequest } from '../protocol/credential-request.js';
import { FirebreakError } from '../protocol/errors.js';
import { dayOf } from '../protocol/time.js';
import { readAsked, type AskedCredentials } from './asked-credentials.js';
import { hasKeysOf, issuePack, type IssuanceDeps } from './issuance.js';
import { keyedLock, type KeyedLock } from './keyed-lock.js';
import { openRenewal } from './renewal.js';
import type { IssuedDays } from './tag-registry.js';

export interface Enrolment {
  /**
   * Answers a first request, under the number the enrolment desk gave or the next free one. The pack is sealed.
   *
   * Throws `format`, `signature`, `day` for days that are past or too far ahead, `exists` for a number that is taken.
   */
  enrol(request: Uint8Array, tag?: TagNumber): Promise<Uint8Array>;
  /**
   * Answers a request of kind 3.
   *
   * Throws what openRenewal throws, `day`, and `exists` for a day that the tag has credentials of for other keys.
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

const NOTHING_ISSUED: IssuedDays = new Map();
const tagLock = (tag: TagNumber) => `tag/${tag}`;

export function openEnrolment(deps: EnrolmentDeps): Enrolment {
  const lock = keyedLock();
  return {
    enrol: async (bytes, wished) => {
      const asked = askedNow(openCredentialRequest(bytes), deps);
      return lock.run(`keys/${toHex(asked.firstKeysHash)}`, () => enrol(asked, wished, lock, deps));
    },
    renew: async (bytes) => {
      const { issuer, clock, retentionDays, keyring } = deps;
      const context = { issuerPublicKey: issuer.publicKey, receivedAtMs: clock.nowMs(), retentionDays };
      const { tag, request } = await openRenewal(bytes, {
        ...context,
        keysOf: (day) => keyring.existingKeysOf(day),
      });
      const asked = askedNow(request, deps);
      return lock.run(tagLock(tag), async () =>
        issuePack(tag, (await deps.tags.issuedDays(tag)) ?? NOTHING_ISSUED, asked, deps),
      );
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
  lock: KeyedLock,
  deps: EnrolmentDeps,
): Promise<Uint8Array> {
  const known = await deps.tags.enrolledWith(asked.firstKeysHash);
  if (known !== undefined && wished !== undefined && known !== wished) {
    throw new FirebreakError('exists', 'these epoch keys are enrolled under another tag number');
  }
  const tag = known ?? wished;
  return tag === undefined
    ? enrolNext(asked, lock, deps)
    : lock.run(tagLock(tag), () => enrolAs(tag, asked, deps));
}

/** The desk may give out by hand the very number that comes next: then the one after it is tried. */
async function enrolNext(asked: AskedCredentials, lock: KeyedLock, deps: EnrolmentDeps): Promise<Uint8Array> {
  for (;;) {
    const tag = await deps.tags.nextFree();
    const pack = await lock.run(tagLock(tag), async () => {
      const isTaken = (await deps.tags.issuedDays(tag)) !== undefined;
      return isTaken ? undefined : issuePack(tag, NOTHING_ISSUED, asked, deps);
    });
    if (pack) return pack;
  }
}

async function enrolAs(tag: TagNumber, asked: AskedCredentials, deps: EnrolmentDeps): Promise<Uint8Array> {
  const issued = await deps.tags.issuedDays(tag);
  const [first] = asked.days; // with whose key the request is signed
  if (issued && !(first && hasKeysOf(issued, first))) {
    throw new FirebreakError(
      'exists',
      'this tag number is enrolled; its tag renews with a request of kind 3',
    );
  }
  return issuePack(tag, issued ?? NOTHING_ISSUED, asked, deps);
}
