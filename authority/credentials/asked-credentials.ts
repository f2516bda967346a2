/** A request for credentials as the authority works on it: day by day, and only for days it issues for. */
import { concat } from '../../protocol/bytes.js';
import { encodeCredentialRequest, type CredentialRequest } from '../../protocol/tag/credential-request.js';
import { FirebreakError } from '../../protocol/errors.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { DAY_SECONDS, EPOCHS_PER_DAY } from '../../protocol/time.js';

export interface AskedCredentials {
  readonly replyPublicKey: Uint8Array;
  /** H(request): of the plaintext, however it came. */
  readonly requestHash: Uint8Array;
  /** The authority's day when it was asked. */
  readonly askedOn: number;
  readonly firstDay: number;
  /** H(epoch public keys) of the first day. */
  readonly firstKeysHash: Uint8Array;
  readonly days: readonly AskedDay[];
}

export interface AskedDay {
  readonly day: number;
  /** 96, in order. */
  readonly epochPublicKeys: readonly Uint8Array[];
  readonly keysHash: Uint8Array;
}

export interface IssuingDays {
  readonly today: number;
  /** Credentials are issued for days before today + horizonDays. */
  readonly horizonDays: number;
  /** None are issued for this day and later ones. */
  readonly sunsetDay: number | undefined;
}

/** Throws `day` unless all days are from yesterday to the day before today + horizonDays, and before the sunset. */
export function readAsked(
  request: CredentialRequest,
  { today, horizonDays, sunsetDay = Infinity }: IssuingDays,
): AskedCredentials {
  const { firstDay, days } = request;
  if (firstDay + days > sunsetDay) throw pastSunset(firstDay, days, sunsetDay);
  if (firstDay < today - 1 || firstDay + days > today + horizonDays) {
    const [wished, issued] = [
      `${firstDay} to ${firstDay + days - 1}`,
      `${today - 1} to ${today + horizonDays - 1}`,
    ];
    throw new FirebreakError('day', `credentials are issued for days ${issued}, not for ${wished}`);
  }
  const asked = Array.from({ length: days }, (_, index) => askedDay(request, index));
  return {
    replyPublicKey: request.replyPublicKey,
    requestHash: sha256(encodeCredentialRequest(request)),
    askedOn: today,
    firstDay,
    firstKeysHash: askedDay(request, 0).keysHash,
    days: asked,
  };
}

function pastSunset(firstDay: number, days: number, sunsetDay: number): FirebreakError {
  const last = new Date((sunsetDay - 1) * DAY_SECONDS * 1000).toISOString().slice(0, 10);
  const left = sunsetDay - firstDay;
  const advice = left > 0 ? `ask for ${left} of these ${days} days` : 'the tag can be handed back';
  return new FirebreakError(
    'day',
    `this deployment ends: its last day is ${last} (day ${sunsetDay - 1}), and no credentials are issued for days after it; ${advice}`,
  );
}

function askedDay({ firstDay, epochPublicKeys: all }: CredentialRequest, index: number): AskedDay {
  const epochPublicKeys = all.slice(index * EPOCHS_PER_DAY, (index + 1) * EPOCHS_PER_DAY);
  return { day: firstDay + index, epochPublicKeys, keysHash: sha256(concat(...epochPublicKeys)) };
}
