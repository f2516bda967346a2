/**
 * Access records as the first version wrote them, one case and no tags reached: only still read for evidence
 * bundles that were made with one (docs/decisions/0013-access-records-name-tags.md).
 *
 *     salt 16 || HPKE enc 32 || ciphertext        info "firebreak/access/v1", aad = the salt
 *     plaintext = CBOR [1, officer, purpose, caseTag, direction, hops, from, to, minSeconds, latentSeconds,
 *                       infectiousSeconds or null, reachedCount] || zeros until the payload is a multiple of 256 bytes
 */
import {
  MAX_OFFICER_BYTES,
  MAX_PURPOSE_BYTES,
  type AccessQuestionKind,
  type RecordedQuestion,
} from './access-question.js';
import { asTagNumber } from '../brands.js';
import { CborReader } from '../cbor.js';
import { FirebreakError } from '../errors.js';
import { hpkeOpenWith } from '../crypto/hpke.js';
import { SALT_BYTES } from './salt.js';

const VERSION = 1;
const FIELDS = 12;
const INFO = Buffer.from('firebreak/access/v1');
const ENC_BYTES = 32;
const BLOCK = 256;

/** Throws `format`, `sealing` for another shared secret. */
export function readFirstAccess(bytes: Uint8Array, sharedSecret: Uint8Array): RecordedQuestion {
  if (bytes.length === 0 || bytes.length % BLOCK !== 0)
    throw new FirebreakError('format', 'an access payload of a length that none has');
  const aad = bytes.subarray(0, SALT_BYTES);
  const ciphertext = bytes.subarray(SALT_BYTES + ENC_BYTES);
  const plaintext = hpkeOpenWith(sharedSecret, { info: INFO, aad, ciphertext });
  const reader = new CborReader(plaintext, 'a first access record');
  reader.array({ length: FIELDS });
  if (reader.uint() !== VERSION)
    throw new FirebreakError('format', 'an access record of a version that is not known');
  const [officer, purpose] = [reader.text(MAX_OFFICER_BYTES), reader.text(MAX_PURPOSE_BYTES)];
  const cases = [asTagNumber(reader.uint())];
  const question = directionOf(reader.text(16));
  const window = { hops: reader.uint(), from: reader.uint(), to: reader.uint() };
  const seconds = { minSeconds: reader.uint(), latentSeconds: reader.uint() };
  const rest = { infectiousSeconds: reader.uintOrNull(), reachedCount: reader.uint() };
  reader.zerosToEnd();
  const asOnlyThen = { attenuation: 'near', presence: false } as const;
  return { officer, purpose, question, cases, ...window, ...seconds, ...rest, ...asOnlyThen };
}

function directionOf(text: string): AccessQuestionKind {
  if (text === 'forward' || text === 'backward' || text === 'both') return text;
  throw new FirebreakError('format', 'an access record of a direction that is not known');
}
