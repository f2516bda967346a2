/**
 * A bundle that was kept: later versions still accept it, and so does a reader written from docs/evidence.md alone, on another
 * CBOR decoder, another HKDF and node's own Ed25519, that shares no code with ours.
 */
import { createDecipheriv, createHash, createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { decode } from 'cborg';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openCheckpoint } from '../../protocol/checkpoint.js';
import { parseVerifierKey } from '../../protocol/note.js';
import { checkEvidence } from '../../tracer/evidence/check.js';

const step = z.object({ from: z.string(), to: z.string(), start: z.number(), end: z.number() });
const kept = z
  .object({
    vkey: z.string(),
    issuerPublicKey: z.string(),
    reached: z.array(z.object({ person: z.string(), score: z.number(), path: z.array(step) })),
    bundle: z.base64().transform((text) => Buffer.from(text, 'base64')),
  })
  .parse(JSON.parse(readFileSync(new URL('../vectors/evidence-bundle.json', import.meta.url), 'utf8')));

const bytes = z.instanceof(Uint8Array);
const logged = z.tuple([z.number(), bytes, z.array(bytes), bytes, bytes]);
type Logged = z.infer<typeof logged>;
const body = z.tuple([
  z.literal('firebreak/evidence/v1'),
  bytes, // tracer key
  bytes, // issuer key
  z.number(), // sampleHoldSeconds
  z.number(), // retentionDays
  z.string(), // checkpoint
  logged, // access
  z.array(logged), // reports
  z.array(z.tuple([bytes, z.number(), z.number()])), // names
  z.array(z.array(z.tuple([z.number(), z.number(), z.number()]))), // contacts
  z.array(z.unknown()), // sources
  z.array(z.unknown()), // reached
]);

const hash = (...parts: readonly Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest();
const ascii = (text: string) => Buffer.from(text, 'latin1');

function isSigned(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const prefix = Buffer.from('302a300506032b6570032100', 'hex');
  const key = createPublicKey({ key: Buffer.concat([prefix, publicKey]), format: 'der', type: 'spki' });
  return verify(null, message, key, signature);
}

/** RFC 9162 §2.1.3.2. */
function rootFrom([index, entry, proof]: Logged, size: number): Buffer {
  let [fn, sn] = [index, size - 1];
  let root = hash(Uint8Array.of(0), entry);
  for (const sibling of proof) {
    const isRight = fn % 2 === 1 || fn === sn;
    root = isRight ? hash(Uint8Array.of(1), sibling, root) : hash(Uint8Array.of(1), root, sibling);
    while (isRight && fn % 2 === 0 && fn !== 0) [fn, sn] = [fn >> 1, sn >> 1];
    [fn, sn] = [fn >> 1, sn >> 1];
  }
  expect(sn).toBe(0);
  return root;
}

/** RFC 9180 §5.1, from the shared secret on. */
function openSealed(secret: Uint8Array, info: string, aad: Uint8Array, sealed: Uint8Array): Buffer {
  const suite = Buffer.concat([ascii('HPKE'), Buffer.from('002000010003', 'hex')]);
  const labeled = (label: string, ikm: Uint8Array) =>
    Buffer.concat([ascii('HPKE-v1'), suite, ascii(label), ikm]);
  const none = new Uint8Array();
  const idHash = extract(sha256, labeled('psk_id_hash', none), none);
  const infoHash = extract(sha256, labeled('info_hash', ascii(info)), none);
  const context = Buffer.concat([Uint8Array.of(0), idHash, infoHash]);
  const prk = extract(sha256, labeled('secret', none), secret);
  const derive = (label: string, length: number) =>
    expand(sha256, prk, Buffer.concat([Uint8Array.of(0, length), labeled(label, context)]), length);
  const opener = createDecipheriv('chacha20-poly1305', derive('key', 32), derive('base_nonce', 12), { authTagLength: 16 }); // prettier-ignore
  opener.setAuthTag(sealed.subarray(-16));
  opener.setAAD(aad, { plaintextLength: sealed.length - 16 });
  return Buffer.concat([opener.update(sealed.subarray(0, -16)), opener.final()]);
}

describe('a bundle that was kept', () => {
  it('is accepted, and shows what it did', () => {
    const verifier = parseVerifierKey(kept.vkey);
    const shown = checkEvidence(kept.bundle, {
      openCheckpoint: (note) => openCheckpoint(note, verifier),
      issuerPublicKey: Buffer.from(kept.issuerPublicKey, 'hex'),
    });
    expect(shown.reached).toMatchObject(kept.reached);
    expect(shown.reached).toHaveLength(3);
  });

  it('is read by who knows the page about it, and none of our code', () => {
    const signed = kept.bundle.subarray(0, -64);
    const parsed = body.parse(decode(signed, { strict: true }));
    const [, tracer, issuer, , , note, look, reports, names, contacts] = parsed;
    expect(isSigned(tracer, Buffer.concat([ascii('firebreak/evidence/v1\0'), signed]), kept.bundle.subarray(-64))).toBe(true); // prettier-ignore
    expect(Buffer.from(issuer).toString('hex')).toBe(kept.issuerPublicKey);

    const [origin = '', size = '', root = '', blank, line = ''] = note.split('\n');
    const key = Buffer.from(kept.vkey.split('+').at(-1) ?? '', 'base64').subarray(1);
    const signature = Buffer.from(line.split(' ').at(-1) ?? '', 'base64').subarray(4);
    expect(blank).toBe('');
    expect(isSigned(key, Buffer.from(`${origin}\n${size}\n${root}\n`), signature)).toBe(true);

    for (const item of [look, ...reports]) {
      const entry = decode(item[1]) as unknown[];
      expect(rootFrom(item, Number(size)).toString('base64')).toBe(root);
      expect(Buffer.from(entry[6] as Uint8Array)).toEqual(hash(item[3]));
    }
    expect(Buffer.from((decode(look[1]) as Uint8Array[])[2] ?? [])).toEqual(hash(tracer).subarray(0, 16));

    const plaintexts = reports.map(([, , , payload, secret]) => {
      const [aad, sealed] = [payload.subarray(0, 159), payload.subarray(193, -64)];
      expect(isSigned(payload.subarray(31, 63), Buffer.concat([ascii('firebreak/report/v1\0'), payload.subarray(0, -64)]), payload.subarray(-64))).toBe(true); // prettier-ignore
      expect(isSigned(issuer, Buffer.concat([ascii('firebreak/credential/v1\0'), payload.subarray(10, 63)]), payload.subarray(63, 127))).toBe(true); // prettier-ignore
      return openSealed(secret, 'firebreak/report/v1', aad, sealed);
    });
    const tagOf = (id: Uint8Array) => names.find(([ephId]) => Buffer.compare(ephId, id) === 0)?.[1];
    const told = contacts.map((records) =>
      records.map(([report, record]) => {
        const said = plaintexts[report]?.subarray(38 + 50 * record, 88 + 50 * record) ?? Buffer.alloc(50);
        const reporter = tagOf(reports[report]?.[3].subarray(15, 31) ?? new Uint8Array());
        return [reporter, tagOf(said.subarray(0, 16)), said.readUInt32BE(16)];
      }),
    );
    const noon = 1_788_523_200;
    expect(told).toEqual([
      [[1, 2, noon], [2, 1, noon + 20]],
      [[2, 3, noon + 3_600], [3, 2, noon + 3_600]],
      [[3, 2, noon + 7_200]],
      [[4, 3, noon + 25_200]],
    ]); // prettier-ignore
  });
});
