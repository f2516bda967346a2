/**
 * C2SP tlog-cosignature with Ed25519 (cosignature/v1): a witness says that, at some time, this was the
 * largest checkpoint of the log it saw, and that it continues all it saw before.
 *
 *     verifier key   name "+" key hash in 8 hex digits "+" base64(0x04 || public key 32)
 *     key hash       first 4 bytes of H(name || newline || 0x04 || public key 32)
 *     signature      timestamp u64, unix seconds || Ed25519 signature 64
 *                    after the key hash in a signature line (note.ts)
 *     signed         "cosignature/v1" newline || "time " decimal newline
 *                    || text of the checkpoint with its last newline
 *
 * The name is not signed, so one key must never have two names. Bounds of ours: the time is from 1 to 2^53 − 1.
 */
import { ByteReader, ByteWriter } from '../bytes.js';
import { SIGNATURE_BYTES, verifyStrict, type Signer } from '../crypto/ed25519.js';
import { FirebreakError } from '../errors.js';
import { keyHashOf, formatKey, parseKey, signatureLine, type NoteSignature } from './note.js';
import { fromBase64 } from './text-forms.js';

const COSIGNATURE_V1 = 4;

/** A known witness. Its key has a name of its own, so that it can never pass for the key of a log. */
export interface Cosigner {
  readonly name: string;
  readonly keyHash: number;
  readonly cosignerKey: Uint8Array;
}

export interface CosignerWithKey extends Cosigner {
  sign(message: Uint8Array): Uint8Array;
}

/** What stands in a signature line after the key hash. */
export interface TimestampedSignature {
  /** Unix seconds, above 0. */
  readonly timestampSeconds: number;
  /** 64 bytes. */
  readonly signature: Uint8Array;
}

/** Throws `format` for a name that may not stand in a note, or a key that is not 32 bytes. */
export function cosignerOf(name: string, publicKey: Uint8Array): Cosigner {
  return { name, cosignerKey: publicKey, keyHash: keyHashOf(name, publicKey, COSIGNATURE_V1) };
}

/** A key to cosign with, under `name`. Throws `format` as {@link cosignerOf}. */
export function cosignerWithKey(name: string, signer: Signer): CosignerWithKey {
  return { ...cosignerOf(name, signer.publicKey), sign: (message) => signer.sign(message) };
}

/** The witness' verifier key as text. */
export function formatCosignerKey({ name, keyHash, cosignerKey }: Cosigner): string {
  return formatKey(name, keyHash, cosignerKey, COSIGNATURE_V1);
}

/** Throws `format`, also for the key of a log. */
export function parseCosignerKey(vkey: string): Cosigner {
  const { name, keyHash, key } = parseKey(vkey, 'witness', COSIGNATURE_V1);
  const cosigner = cosignerOf(name, key);
  if (cosigner.keyHash === keyHash) return cosigner;
  throw new FirebreakError('format', 'the hash in the witness key is not its own');
}

/** Throws `format` for a time out of bounds or a signature that is not 64 bytes. */
export function encodeTimestamped({ timestampSeconds, signature }: TimestampedSignature): Uint8Array {
  requireTime(timestampSeconds);
  if (signature.length !== SIGNATURE_BYTES)
    throw new FirebreakError('format', `an Ed25519 signature has ${SIGNATURE_BYTES} bytes`);
  return new ByteWriter(8 + SIGNATURE_BYTES).u64(timestampSeconds).bytes(signature).finish();
}

/** Throws `format`. */
export function decodeTimestamped(bytes: Uint8Array): TimestampedSignature {
  const reader = new ByteReader(bytes, 'a cosignature');
  const timestampSeconds = reader.u64();
  const signature = reader.take(SIGNATURE_BYTES);
  reader.end();
  requireTime(timestampSeconds);
  return { timestampSeconds, signature };
}

function requireTime(seconds: number): void {
  if (Number.isSafeInteger(seconds) && seconds > 0) return;
  throw new FirebreakError('format', 'the time of a cosignature must be in unix seconds, above 0');
}

function signedMessage(text: string, timestampSeconds: number): Uint8Array {
  return Buffer.from(`cosignature/v1\ntime ${timestampSeconds}\n${text}`, 'utf8');
}

/**
 * A cosignature of a checkpoint as a signature line, the newline included. Whoever calls this has checked the
 * checkpoint.
 *
 * `text` is the note's text, without its signatures. Throws `format` for a time out of bounds.
 */
export function cosign(text: string, cosigner: CosignerWithKey, timestampSeconds: number): string {
  requireTime(timestampSeconds);
  const signature = cosigner.sign(signedMessage(text, timestampSeconds));
  return signatureLine(cosigner.name, cosigner.keyHash, encodeTimestamped({ timestampSeconds, signature }));
}

/** Whether a signature bears the name and key hash of `cosigner`; that it is valid is for {@link cosignedAt} to say. */
export const isBy = ({ name, keyHash }: NoteSignature, cosigner: Cosigner): boolean =>
  name === cosigner.name && keyHash === cosigner.keyHash;

/**
 * When `cosigner` cosigned the note, in unix seconds: the latest time, where it did several times;
 * `undefined` when none of the signatures is by it. They are those that opening the note left unverified
 * (note.ts).
 *
 * Throws `signature` when one of them bears its name and key hash and is not valid: such a note is refused whole.
 */
export function cosignedAt(
  text: string,
  signatures: readonly NoteSignature[],
  cosigner: Cosigner,
): number | undefined {
  const times = signatures
    .filter((signature) => isBy(signature, cosigner))
    .map((signature) => requireCosignature(text, signature, cosigner));
  return times.length === 0 ? undefined : Math.max(...times);
}

function requireCosignature(text: string, { base64 }: NoteSignature, cosigner: Cosigner): number {
  try {
    const bytes = fromBase64(base64) ?? new Uint8Array();
    const { timestampSeconds, signature } = decodeTimestamped(bytes.subarray(4));
    if (verifyStrict(cosigner.cosignerKey, signedMessage(text, timestampSeconds), signature))
      return timestampSeconds;
  } catch (cause) {
    throw invalid(cosigner, cause);
  }
  throw invalid(cosigner);
}

const invalid = ({ name }: Cosigner, cause?: unknown): FirebreakError =>
  new FirebreakError('signature', `the cosignature of ${name} on the checkpoint is not valid`, { cause });
