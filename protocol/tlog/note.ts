/**
 * C2SP signed-note with Ed25519 keys, as golang.org/x/mod/sumdb/note reads and writes it.
 *
 *     note          text ending in a newline || newline || signature lines
 *     signature     "— " name " " base64(key hash u32 || Ed25519 signature of the text) newline
 *     key hash      first 4 bytes of H(name || newline || 0x01 || public key 32)
 *     verifier key  name "+" key hash in 8 hex digits "+" base64(0x01 || public key 32)
 *     signer key    "PRIVATE+KEY+" name "+" key hash "+" base64(0x01 || seed 32)
 *
 * 0x01 is the type of the key. Witnesses have keys of type 0x04, in the same form (cosignature.ts); a note
 * opened here never takes one for the key of a log.
 *
 * A note is UTF-8 without control characters other than newline; a name has no white space and no plus. Base64 must be
 * canonical, so that no bit of a note can change unnoticed.
 */
import { asBuffer, concat } from '../bytes.js';
import { fastSigner, SIGNATURE_BYTES, verifyStrict, type Signer } from '../crypto/ed25519.js';
import { FirebreakError } from '../errors.js';
import { sha256 } from '../crypto/hash.js';
import { fromBase64, utf8Text } from './text-forms.js';

const ED25519 = 1;
const MAX_SIGNATURES = 100;
/** Room for a checkpoint and a hundred witnesses with post-quantum signatures. */
const MAX_NOTE_BYTES = 1 << 20;
const SIGNATURE_PREFIX = '— ';

export interface NoteVerifier {
  readonly name: string;
  readonly keyHash: number;
  readonly publicKey: Uint8Array;
}

export interface NoteSigner extends NoteVerifier {
  sign(message: Uint8Array): Uint8Array;
}

export interface NoteSignature {
  readonly name: string;
  readonly keyHash: number;
  /** Base64 of key hash and signature, as it stands in the note. */
  readonly base64: string;
}

export interface OpenedNote {
  readonly text: string;
  readonly verified: readonly NoteSignature[];
  /** Signatures by keys the caller does not know. */
  readonly unverified: readonly NoteSignature[];
}

const malformed = (why: string) => new FirebreakError('format', `not a signed note: ${why}`);

function requireName(name: string): void {
  if (name !== '' && !/[+\p{White_Space}\p{Surrogate}]/u.test(name)) return;
  throw new FirebreakError('format', 'a key name must not be empty nor hold white space or a plus');
}

/**
 * The hash that stands for an Ed25519 key of some type under a name. Throws `format` for a name that may not
 * stand in a note, or a key that is not 32 bytes.
 */
export function keyHashOf(name: string, publicKey: Uint8Array, type: number): number {
  requireName(name);
  if (publicKey.length !== 32) throw new FirebreakError('format', 'an Ed25519 public key has 32 bytes');
  const digest = sha256(Buffer.from(`${name}\n`, 'utf8'), Uint8Array.of(type), publicKey);
  return asBuffer(digest).readUInt32BE();
}

/** A key of some type as text, which {@link parseKey} reads. */
export function formatKey(name: string, keyHash: number, key: Uint8Array, type: number): string {
  const data = Buffer.from(concat(Uint8Array.of(type), key)).toString('base64');
  return `${name}+${keyHash.toString(16).padStart(8, '0')}+${data}`;
}

/** A known key. Throws `format` for a name that may not stand in a note, or a key that is not 32 bytes. */
export function noteVerifier(name: string, publicKey: Uint8Array): NoteVerifier {
  return { name, publicKey, keyHash: keyHashOf(name, publicKey, ED25519) };
}

/** A key to sign notes with, under `name`. Throws `format` as {@link noteVerifier}. */
export function noteSigner(name: string, signer: Signer): NoteSigner {
  return { ...noteVerifier(name, signer.publicKey), sign: (message) => signer.sign(message) };
}

/** The verifier key as text, for configuration and third-party auditors. Throws `format` as {@link noteVerifier}. */
export function noteVerifierKey(name: string, publicKey: Uint8Array): string {
  return formatKey(name, noteVerifier(name, publicKey).keyHash, publicKey, ED25519);
}

/** Throws `format`. */
export function parseVerifierKey(vkey: string): NoteVerifier {
  const { name, keyHash, key } = parseKey(vkey, 'verifier', ED25519);
  const verifier = noteVerifier(name, key);
  if (verifier.keyHash !== keyHash)
    throw new FirebreakError('format', 'the hash in the verifier key is not its own');
  return verifier;
}

/** The signer key as text. It is a secret: it goes to a file with mode 0600 and nowhere else. */
export function noteSignerKey(name: string, seed: Uint8Array): string {
  const { keyHash } = noteSigner(name, fastSigner(seed));
  return `PRIVATE+KEY+${formatKey(name, keyHash, seed, ED25519)}`;
}

/** Throws `format`, never with the key in the message. */
export function parseSignerKey(skey: string): NoteSigner {
  if (!skey.startsWith('PRIVATE+KEY+')) throw new FirebreakError('format', 'not a note signer key');
  const { name, keyHash, key } = parseKey(skey.slice('PRIVATE+KEY+'.length), 'signer', ED25519);
  const signer = noteSigner(name, fastSigner(key));
  if (signer.keyHash !== keyHash)
    throw new FirebreakError('format', 'the hash in the signer key is not its own');
  return signer;
}

/** A key of that type, its hash not yet checked. Throws `format`, also for a key of another type. */
export function parseKey(
  text: string,
  what: string,
  type: number,
): { readonly name: string; readonly keyHash: number; readonly key: Uint8Array } {
  const [, name = '', hex = '', base64 = ''] =
    /^([^+]+)\+([0-9a-fA-F]{8})\+([0-9a-zA-Z+/=]+)$/.exec(text) ?? [];
  const data = fromBase64(base64);
  if (data?.length !== 33 || data[0] !== type)
    throw new FirebreakError('format', `not an Ed25519 note ${what} key of type ${type}`);
  return { name, keyHash: Number.parseInt(hex, 16), key: new Uint8Array(data.subarray(1)) };
}

/** Throws `format` unless the text ends in a newline and holds no other control character. */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  requireText(text);
  if (!text.endsWith('\n')) throw malformed('the text does not end in a newline');
  const message = Buffer.from(text, 'utf8');
  const lines = signers.map((signer) => signatureLine(signer.name, signer.keyHash, signer.sign(message)));
  return `${text}\n${lines.join('')}`;
}

/** A signature as a line of a note, the newline included. */
export function signatureLine(name: string, keyHash: number, signature: Uint8Array): string {
  const bytes = Buffer.concat([Buffer.alloc(4), signature]);
  bytes.writeUInt32BE(keyHash);
  return signatureText({ name, base64: bytes.toString('base64') });
}

/** The line of a signature that was read, the newline included. */
export function signatureText({ name, base64 }: Pick<NoteSignature, 'name' | 'base64'>): string {
  return `${SIGNATURE_PREFIX}${name} ${base64}\n`;
}

function requireText(text: string): void {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u0009\u000b-\u001f\p{Surrogate}]/u.test(text)) throw malformed('it holds control characters');
}

/**
 * The whole of a note as text, where it is handed on and opened later. Throws `format` for bytes that are not
 * UTF-8.
 */
export function noteText(note: Uint8Array): string {
  const text = utf8Text(note);
  if (text === undefined) throw malformed('it is not UTF-8');
  return text;
}

/**
 * The text of a note and its signatures, none of them checked: not to be relied on before it is opened.
 * Throws `format`.
 */
export function readNote(note: string | Uint8Array): {
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
} {
  const whole = textOf(note);
  const split = whole.lastIndexOf('\n\n');
  if (split < 0) throw malformed('there is no blank line before the signatures');
  return { text: whole.slice(0, split + 1), signatures: parseSignatures(whole.slice(split + 2)) };
}

/**
 * The text of a note and who signed it. Every signature by one of `verifiers` must be good and there must be at least
 * one; others are handed back unverified, a repeated one is dropped.
 *
 * Throws `format` for what is not a note, `signature` for a bad signature or none by a known key.
 */
export function openNote(note: string | Uint8Array, verifiers: readonly NoteVerifier[]): OpenedNote {
  const { text, signatures } = readNote(note);
  const message = Buffer.from(text, 'utf8');
  const verified: NoteSignature[] = [];
  const unverified: NoteSignature[] = [];
  for (const signature of signatures) {
    const verifier = knownVerifier(signature, verifiers);
    const kept = verifier ? verified : unverified;
    if (kept.some((other) => isRepeat(signature, other, verifier !== undefined))) continue;
    if (verifier) requireSignature(verifier, message, signature);
    kept.push(signature);
  }
  if (verified.length === 0)
    throw new FirebreakError(
      'signature',
      `the note has no signature by a known key: it is signed by ${keyNames(signatures)}, and what is known is ${keyNames(verifiers)}`,
    );
  return { text, verified, unverified };
}

/** At most three keys as their notes name them; a name that somebody made long is cut. */
function keyNames(keys: readonly Pick<NoteVerifier, 'name' | 'keyHash'>[]): string {
  const shown = keys
    .slice(0, 3)
    .map(({ name, keyHash }) => `${name.slice(0, 100)}+${keyHash.toString(16).padStart(8, '0')}`);
  return shown.length === 0 ? 'nobody' : shown.join(', ') + (keys.length > shown.length ? ' and others' : '');
}

function isRepeat(one: NoteSignature, other: NoteSignature, known: boolean): boolean {
  return one.name === other.name && one.keyHash === other.keyHash && (known || one.base64 === other.base64);
}

function textOf(note: string | Uint8Array): string {
  if (note.length > MAX_NOTE_BYTES) throw malformed('it is over 1 MiB');
  const text = typeof note === 'string' ? note : noteText(note);
  requireText(text);
  return text;
}

function parseSignatures(block: string): NoteSignature[] {
  const lines = block.split('\n');
  if (lines.pop() !== '' || lines.length === 0) throw malformed('it does not end in a signature line');
  if (lines.length > MAX_SIGNATURES) throw malformed(`it has more than ${MAX_SIGNATURES} signatures`);
  return lines.map(parseSignature);
}

function parseSignature(line: string): NoteSignature {
  const space = line.indexOf(' ', SIGNATURE_PREFIX.length);
  const name = line.slice(SIGNATURE_PREFIX.length, space);
  const base64 = line.slice(space + 1);
  const bytes = fromBase64(base64);
  if (!line.startsWith(SIGNATURE_PREFIX) || space < 0 || bytes === undefined || bytes.length < 5) {
    throw malformed('a signature line is malformed');
  }
  requireName(name);
  return { name, keyHash: asBuffer(bytes).readUInt32BE(), base64 };
}

function knownVerifier(
  { name, keyHash }: NoteSignature,
  verifiers: readonly NoteVerifier[],
): NoteVerifier | undefined {
  const known = verifiers.filter((verifier) => verifier.name === name && verifier.keyHash === keyHash);
  if (known.length > 1)
    throw new FirebreakError('signature', `two known keys are both called ${name} and have one hash`);
  return known[0];
}

function requireSignature(
  verifier: NoteVerifier,
  message: Uint8Array,
  { name, base64 }: NoteSignature,
): void {
  const signature = Buffer.from(base64, 'base64').subarray(4);
  if (signature.length === SIGNATURE_BYTES && verifyStrict(verifier.publicKey, message, signature)) return;
  throw new FirebreakError('signature', `the signature of ${name} on the note is not valid`);
}
