/** An authority for tests: one issuer, day keys from a seed, packs for whoever asks, and the power to open reports. */
import { asEpoch, asTagNumber } from '../../protocol/brands.js';
import type { TagNumber } from '../../protocol/brands.js';
import { openSealed, resolveReporter, openReport } from '../../protocol/tag/report-open.js';
import { sealCredentialPack, signCredentialPack } from '../../protocol/tag/credential-pack.js';
import {
  decodeCredentialRequest,
  encodeCredentialRequest,
  openCredentialRequest,
} from '../../protocol/tag/credential-request.js';
import type { CredentialRequest } from '../../protocol/tag/credential-request.js';
import { issueCredential } from '../../protocol/tag/credential.js';
import { issueDayKeyStatement } from '../../protocol/session/day-key-statement.js';
import type { DayKeyStatement } from '../../protocol/session/day-key-statement.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import type { Signer } from '../../protocol/crypto/ed25519.js';
import { authKeyOf, makeEphemeralId } from '../../protocol/tag/ephemeral-id.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import type { DayKeys } from '../../protocol/keys.js';
import { decodeReport } from '../../protocol/tag/report.js';
import { EPOCHS_PER_DAY, firstEpochOfDay } from '../../protocol/time.js';
import { x25519KeyPair } from '../../protocol/crypto/x25519.js';
import type { EnrolmentStation } from '../../firmware-sim/live/enrolment.js';
import { seededRandom } from '../../radio/random.js';

export interface TestAuthority {
  readonly issuer: Signer;
  readonly station: EnrolmentStation;
  readonly requests: { enrolled: number; renewed: number };
  dayKeys(day: number): DayKeys;
  statement(day: number): DayKeyStatement;
  open(report: Uint8Array): ReturnType<typeof openReport>;
}

export function testAuthority(seed = 'authority'): TestAuthority {
  const random = seededRandom(seed);
  const issuer = fastSigner(random.fork('issuer').bytes(32));
  const days = new Map<number, DayKeys>();
  const requests = { enrolled: 0, renewed: 0 };

  function dayKeys(day: number): DayKeys {
    const known = days.get(day);
    if (known !== undefined) return known;
    const draw = random.fork(`day ${day}`);
    const sealing = x25519KeyPair(draw.bytes(32));
    const { secretKey: sealingSecretKey, publicKey: sealingPublicKey } = sealing;
    const made = { day, idKey: draw.bytes(32), macKey: draw.bytes(32), sealingSecretKey, sealingPublicKey };
    days.set(day, made);
    return made;
  }

  const statement = (day: number) => issueDayKeyStatement(issuer, day, dayKeys(day).sealingPublicKey);

  function answer(tag: TagNumber, request: CredentialRequest): Uint8Array {
    const packDays = Array.from({ length: request.days }, (_, index) => {
      const day = request.firstDay + index;
      const { idKey, macKey } = dayKeys(day);
      const epochs = Array.from({ length: EPOCHS_PER_DAY }, (_unused, k) => {
        const epoch = asEpoch(firstEpochOfDay(day) + k);
        const ephId = makeEphemeralId(idKey, tag, epoch);
        const epochPublicKey = request.epochPublicKeys[index * EPOCHS_PER_DAY + k] ?? new Uint8Array(32);
        const { signature } = issueCredential(issuer, { epoch, ephId, epochPublicKey });
        return { ephId, authKey: authKeyOf(macKey, ephId), credentialSignature: signature };
      });
      return { statement: statement(day), epochs };
    });
    const requestHash = sha256(encodeCredentialRequest(request));
    const pack = signCredentialPack(issuer, { requestHash, firstDay: request.firstDay, days: packDays });
    return sealCredentialPack(pack, request.replyPublicKey);
  }

  let next = 1;
  const station: EnrolmentStation = {
    enrol: async (bytes, tag) => {
      requests.enrolled += 1;
      return answer(tag ?? asTagNumber(next++), openCredentialRequest(bytes));
    },
    renew: async (bytes) => {
      requests.renewed += 1;
      const report = decodeReport(bytes);
      const tag = resolveReporter(report, dayKeys);
      return answer(tag, decodeCredentialRequest(openSealed(report, dayKeys)));
    },
  };
  const open = (report: Uint8Array) => openReport(decodeReport(report), dayKeys);
  return { issuer, station, requests, dayKeys, statement, open };
}
