/** How long an authority takes to enrol a school: 327 tags for five days, 157,000 credentials, stores in memory. */
import { randomBytes } from 'node:crypto';
import { openAuthority } from '../authority/authority.js';
import { memoryDayKeyStore } from '../authority/days/day-key-store-memory.js';
import { memoryRecords } from '../authority/records/records-memory.js';
import { memoryWorkedDay } from '../authority/days/worked-day.js';
import { asUnixMs } from '../protocol/brands.js';
import { signCredentialRequest } from '../protocol/tag/credential-request.js';
import { fastSigner } from '../protocol/crypto/ed25519.js';
import { silentLog } from '../protocol/log.js';
import { DAY_SECONDS, EPOCHS_PER_DAY } from '../protocol/time.js';
import { x25519KeyPair } from '../protocol/crypto/x25519.js';

const DAY = 20_000;

interface EnrolmentSpeed {
  readonly tags: number;
  readonly credentials: number;
  readonly seconds: number;
  readonly credentialsPerSecond: number;
}

/** Requests are made beforehand: their epoch keys are the tags' work, and here all tags share one set of them. */
async function measureEnrolment(tags = 327, days = 5): Promise<EnrolmentSpeed> {
  const requests = requestsOf(tags, days);
  const authority = await openAuthority({
    issuer: fastSigner(randomBytes(32)),
    dayKeys: memoryDayKeyStore(),
    records: memoryRecords(),
    workedDay: memoryWorkedDay(),
    courier: { post: async () => [] },
    uplink: { publishRetained: async () => {}, onOnline: () => {} },
    clock: { nowMs: () => asUnixMs(DAY * DAY_SECONDS * 1000), sleep: async () => {} },
    retentionDays: 21,
    log: silentLog,
  });
  const startMs = performance.now();
  for (const request of requests) await authority.enrol(request);
  const seconds = (performance.now() - startMs) / 1000;
  await authority.close();
  const credentials = tags * days * EPOCHS_PER_DAY;
  return { tags, credentials, seconds, credentialsPerSecond: credentials / seconds };
}

function requestsOf(tags: number, days: number): Uint8Array[] {
  const shared = Array.from({ length: days * EPOCHS_PER_DAY }, () => fastSigner(randomBytes(32)).publicKey);
  return Array.from({ length: tags }, () => {
    const first = fastSigner(randomBytes(32));
    const epochPublicKeys = [first.publicKey, ...shared.slice(1)];
    const replyPublicKey = x25519KeyPair().publicKey;
    return signCredentialRequest(first, { replyPublicKey, firstDay: DAY, days, epochPublicKeys });
  });
}

export async function benchEnrolment(): Promise<void> {
  const { tags, credentials, seconds, credentialsPerSecond } = await measureEnrolment();
  console.log(
    `${credentials} credentials for ${tags} tags in ${seconds.toFixed(2)} s: ${Math.round(credentialsPerSecond)} a second`,
  );
}
