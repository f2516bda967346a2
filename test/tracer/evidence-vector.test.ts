/**
 * Bundles that were kept, one of each version: later versions still accept them, and so does a reader written from docs/evidence.md alone, on another
 * CBOR decoder, another HKDF and node's own Ed25519, that shares no code with ours.
 */
import { createDecipheriv, createHash, createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { decode } from 'cborg';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openCheckpoint } from '../../protocol/tlog/checkpoint.js';
import { parseVerifierKey } from '../../protocol/tlog/note.js';
import { checkEvidence } from '../../tracer/evidence/check.js';

const step = z.object({ from: z.string(), to: z.string(), start: z.number(), end: z.number() });
const keptSchema = z.object({
  vkey: z.string(),
  issuerPublicKey: z.string(),
  reached: z.array(z.object({ person: z.string(), score: z.number(), path: z.array(step) })),
  bundle: z.base64().transform((text) => Buffer.from(text, 'base64')),
});
const keptIn = (name: string) =>
  keptSchema.parse(JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8')));
const kept = keptIn('evidence-bundle');
const keptPresence = keptIn('evidence-presence');

const bytes = z.instanceof(Uint8Array);
const logged = z.tuple([z.number(), bytes, z.array(bytes), bytes, bytes]);
type Logged = z.infer<typeof logged>;
const proven = z.tuple([z.number(), bytes, z.array(bytes), bytes]);
type Proven = z.infer<typeof proven>;
const parts = [
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
  z.array(z.tuple([z.number(), z.number(), bytes, z.array(z.array(z.unknown()))])), // reached
] as const;
const body = z.tuple([z.literal('firebreak/evidence/v1'), ...parts]);
const presence = z.tuple([
  z.array(proven), // certificates
  z.array(logged), // presence reports
  z.array(z.tuple([z.number(), z.number(), z.number()])), // sightings
  z.array(z.tuple([z.array(z.number()), z.array(z.number())])), // meetings
]);
const bodyWithPresence = z.tuple([z.literal('firebreak/evidence/v2'), ...parts, presence]);

const hash = (...parts: readonly Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest();
const ascii = (text: string) => Buffer.from(text, 'latin1');

function isSigned(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const prefix = Buffer.from('302a300506032b6570032100', 'hex');
  const key = createPublicKey({ key: Buffer.concat([prefix, publicKey]), format: 'der', type: 'spki' });
  return verify(null, message, key, signature);
}

/** RFC 9162 §2.1.3.2. */
function rootFrom([index, entry, proof]: Logged | Proven, size: number): Buffer {
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

/** The note is the log's, and the entries are under its root, with the payloads that they name. */
function expectLogged(note: string, vkey: string, items: readonly (Logged | Proven)[]): void {
  const [origin = '', size = '', root = '', blank, line = ''] = note.split('\n');
  const key = Buffer.from(vkey.split('+').at(-1) ?? '', 'base64').subarray(1);
  const signature = Buffer.from(line.split(' ').at(-1) ?? '', 'base64').subarray(4);
  expect(blank).toBe('');
  expect(isSigned(key, Buffer.from(`${origin}\n${size}\n${root}\n`), signature)).toBe(true);
  for (const item of items) {
    const entry = decode(item[1]) as unknown[];
    expect(rootFrom(item, Number(size)).toString('base64')).toBe(root);
    expect(Buffer.from(entry[6] as Uint8Array)).toEqual(hash(item[3]));
  }
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

    expectLogged(note, kept.vkey, [look, ...reports]);
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

describe('a bundle with presence that was kept', () => {
  it('is accepted, and shows what it did', () => {
    const verifier = parseVerifierKey(keptPresence.vkey);
    const shown = checkEvidence(keptPresence.bundle, {
      openCheckpoint: (note) => openCheckpoint(note, verifier),
      issuerPublicKey: Buffer.from(keptPresence.issuerPublicKey, 'hex'),
    });
    expect(shown.reached).toMatchObject(keptPresence.reached);
    expect(shown.reached).toHaveLength(3);
  });

  it('is read by who knows the page about it, and none of our code', () => {
    const signed = keptPresence.bundle.subarray(0, -64);
    const parsed = bodyWithPresence.parse(decode(signed, { strict: true }));
    const [, tracer, issuer, , , note, look, reports, names, , , reached, shown] = parsed;
    const [certificates, gatewayReports, sightings, meetings] = shown;
    expect(isSigned(tracer, Buffer.concat([ascii('firebreak/evidence/v2\0'), signed]), keptPresence.bundle.subarray(-64))).toBe(true); // prettier-ignore
    expectLogged(note, keptPresence.vkey, [look, ...reports, ...certificates, ...gatewayReports]);

    const gateways = certificates.map(([, , , payload]) => {
      const certificate = Buffer.from(payload.subarray(16));
      expect(isSigned(issuer, Buffer.concat([ascii('firebreak/gateway/v1\0'), certificate.subarray(0, 45)]), certificate.subarray(45))).toBe(true); // prettier-ignore
      return {
        key: certificate.subarray(5, 37),
        days: [certificate.readUInt32BE(37), certificate.readUInt32BE(41)],
      };
    });
    const plaintexts = gatewayReports.map(([, entry, , payload, secret]) => {
      const [, , source, , receivedAtMs] = decode(entry) as [number, number, Uint8Array, number, number];
      const gateway = gateways.find(({ key }) => hash(key).subarray(0, 16).equals(source));
      const [fromDay = NaN, toDay = NaN] = gateway?.days ?? [];
      const day = Math.floor(receivedAtMs / 86_400_000);
      expect(fromDay <= day && day <= toDay).toBe(true);
      expect(isSigned(gateway?.key ?? new Uint8Array(32), Buffer.concat([ascii('firebreak/presence/v1\0'), payload.subarray(0, -64)]), payload.subarray(-64))).toBe(true); // prettier-ignore
      return openSealed(secret, 'firebreak/presence/v1', payload.subarray(0, 30), payload.subarray(64, -64));
    });
    const tagOf = (id: Uint8Array) => names.find(([ephId]) => Buffer.compare(ephId, id) === 0)?.[1];
    const seen = sightings.map(([report, record]) => {
      const said = plaintexts[report]?.subarray(2 + 42 * record, 44 + 42 * record) ?? Buffer.alloc(42);
      const start = said.readUInt32BE(16) - 1_788_523_200;
      return { tag: tagOf(said.subarray(0, 16)), start, end: start + said.readUInt16BE(20) };
    });
    const stays = meetings.map((sides) => sides.map((places) => places.map((place) => seen[place])));
    expect(stays).toEqual([
      [
        [{ tag: 1, start: 0, end: 890 }, { tag: 1, start: 900, end: 1_790 }],
        [{ tag: 2, start: 300, end: 900 }, { tag: 2, start: 905, end: 1_500 }],
      ],
      [[{ tag: 3, start: 18_000, end: 18_900 }], [{ tag: 4, start: 18_000, end: 18_895 }]],
    ]); // prettier-ignore
    expect(reached.map(([tag, , , steps]) => [tag, steps])).toEqual([
      [2, [[0]]],
      [3, [[0], [0, []]]],
      [4, [[0], [0, []], [1]]],
    ]);
  });
});
