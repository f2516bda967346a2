import { createHash, createPrivateKey, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openCheckpoint } from '../../protocol/tlog/checkpoint.js';
import {
  cosign,
  cosignedAt,
  cosignerOf,
  cosignerWithKey,
  decodeTimestamped,
  encodeTimestamped,
  formatCosignerKey,
  parseCosignerKey,
} from '../../protocol/tlog/cosignature.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import {
  noteSigner,
  noteVerifierKey,
  openNote,
  parseVerifierKey,
  signNote,
} from '../../protocol/tlog/note.js';
import real from '../vectors/cosigned-checkpoint.json' with { type: 'json' };
import { codeOf, withFlippedBit } from './errors-of.js';

const SEED = Buffer.alloc(32, 7);
const NAME = 'witness.example/w1';
const TEXT = 'log.example\n3\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n';
const witness = cosignerWithKey(NAME, fastSigner(SEED));
const logSigner = noteSigner('log.example', fastSigner(Buffer.alloc(32, 9)));

/** The signature lines of a note, as they come out of opening it with the log's key. */
const cosignaturesOf = (note: string) => openNote(note, [logSigner]).unverified;
const cosigned = (...lines: string[]) => cosignaturesOf(signNote(TEXT, [logSigner]) + lines.join(''));

/** The specification read once more: node:crypto, and no code of protocol/. */
function lineByTheBook(timestamp: number): string {
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), SEED]);
  const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  const signature = sign(null, Buffer.from(`cosignature/v1\ntime ${timestamp}\n${TEXT}`), key);
  const keyId = createHash('sha256')
    .update(`${NAME}\n\u0004`)
    .update(witness.cosignerKey)
    .digest()
    .subarray(0, 4);
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(timestamp));
  return `— ${NAME} ${Buffer.concat([keyId, time, signature]).toString('base64')}\n`;
}

describe('cosignatures of others', () => {
  const log = parseVerifierKey(real.log);

  test('on a real checkpoint hold, under the keys their witnesses publish', () => {
    expect(openCheckpoint(real.note, log).size).toBe(1432088532);
    const { text, unverified } = openNote(real.note, [log]);
    for (const vkey of real.witnesses) {
      const cosigner = parseCosignerKey(vkey);
      expect(formatCosignerKey(cosigner)).toBe(vkey);
      expect(cosignedAt(text, unverified, cosigner)).toBe(real.timestampSeconds);
    }
    expect(cosignedAt(text, unverified, parseCosignerKey(real.absentWitness))).toBeUndefined();
  });

  test('do not hold for another size', () => {
    const { text, unverified } = openNote(real.note, [log]);
    const cosigner = parseCosignerKey(real.witnesses[0] ?? '');
    expect(codeOf(() => cosignedAt(text.replace('532', '533'), unverified, cosigner))).toBe('signature');
  });
});

describe('a cosignature', () => {
  test('is written as the specification says, byte for byte', () => {
    for (const time of [1, 1679315147, 2 ** 40])
      expect(cosign(TEXT, witness, time)).toBe(lineByTheBook(time));
  });

  test('tells its time, the latest where there are several', () => {
    expect(cosignedAt(TEXT, cosigned(cosign(TEXT, witness, 10)), witness)).toBe(10);
    expect(cosignedAt(TEXT, cosigned(cosign(TEXT, witness, 12), cosign(TEXT, witness, 11)), witness)).toBe(
      12,
    );
    expect(cosignedAt(TEXT, cosigned(), witness)).toBeUndefined();
  });

  test('covers the extension lines', () => {
    const line = cosign(`${TEXT}more\n`, witness, 10);
    expect(codeOf(() => cosignedAt(TEXT, cosigned(line), witness))).toBe('signature');
    expect(cosignedAt(`${TEXT}more\n`, cosigned(line), witness)).toBe(10);
  });

  test('of a known witness that is not valid spoils the note, whatever else it signed', () => {
    const good = cosign(TEXT, witness, 10);
    const base64 = good.split(' ')[2]?.trim() ?? '';
    const bytes = Buffer.from(base64, 'base64');
    for (let bit = 32; bit < bytes.length * 8; bit += 5) {
      const bad = good.replace(base64, Buffer.from(withFlippedBit(bytes, bit)).toString('base64'));
      expect(codeOf(() => cosignedAt(TEXT, cosigned(good, bad), witness))).toBe('signature');
    }
  });

  test('by a key one does not know is passed over, though it bears the same name', () => {
    const stranger = cosignerWithKey(NAME, fastSigner(Buffer.alloc(32, 8)));
    expect(cosignedAt(TEXT, cosigned(cosign(TEXT, stranger, 10)), witness)).toBeUndefined();
  });

  test('is no plain signature, nor one in place of a cosignature', () => {
    const plain = noteSigner(NAME, fastSigner(SEED));
    const asPlain = signNote(TEXT, [logSigner, plain]);
    expect(cosignedAt(TEXT, cosignaturesOf(asPlain), witness)).toBeUndefined();
    expect(plain.keyHash).not.toBe(witness.keyHash);
  });

  test('needs a time above 0', () => {
    for (const time of [0, -1, 1.5, 2 ** 53])
      expect(codeOf(() => cosign(TEXT, witness, time))).toBe('format');
  });

  test('with its time goes to bytes and back', () => {
    const signature = fc.uint8Array({ minLength: 64, maxLength: 64 });
    const timestampSeconds = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
    fc.assert(
      fc.property(fc.record({ timestampSeconds, signature }), (value) => {
        expect(decodeTimestamped(encodeTimestamped(value))).toEqual(value);
      }),
    );
    const bytes = encodeTimestamped({ timestampSeconds: 5, signature: new Uint8Array(64) });
    for (const wrong of [bytes.subarray(1), Uint8Array.of(...bytes, 0), new Uint8Array(72)])
      expect(codeOf(() => decodeTimestamped(wrong))).toBe('format');
    expect(codeOf(() => decodeTimestamped(new Uint8Array(72).fill(0xff)))).toBe('format');
  });
});

describe('the key of a witness', () => {
  test('and the key of a log are never taken for each other', () => {
    const ofLog = noteVerifierKey(NAME, witness.cosignerKey);
    const ofWitness = formatCosignerKey(witness);
    expect(parseCosignerKey(ofWitness)).toEqual(cosignerOf(NAME, witness.cosignerKey));
    expect(codeOf(() => parseCosignerKey(ofLog))).toBe('format');
    expect(codeOf(() => parseVerifierKey(ofWitness))).toBe('format');
  });

  test('is refused with another hash, name or length', () => {
    const vkey = formatCosignerKey(witness);
    for (const wrong of ['', vkey.replace('w1', 'w2'), vkey.slice(0, -4), `${vkey}\n`, ` ${vkey}`])
      expect(codeOf(() => parseCosignerKey(wrong))).toBe('format');
    expect(codeOf(() => cosignerOf('a b', witness.cosignerKey))).toBe('format');
    expect(codeOf(() => cosignerOf('a', witness.cosignerKey.subarray(1)))).toBe('format');
  });
});
