/** The access record of test/vectors/ledger-open.json, read from docs/protocol.md alone: another CBOR decoder, HKDF and X25519. */
import { createDecipheriv, createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { decodeFirst } from 'cborg';
import { expect, test } from 'vitest';
import { z } from 'zod';

const hex = z.string().transform((text) => Buffer.from(text, 'hex'));
const { payloads } = z
  .object({
    payloads: z.object({
      auditSecretKey: hex,
      auditPublicKey: hex,
      access: hex,
      accessRecord: z.looseObject({ reached: z.array(z.number()) }),
    }),
  })
  .parse(JSON.parse(readFileSync(new URL('../vectors/ledger-open.json', import.meta.url), 'utf8')));

const ascii = (text: string) => Buffer.from(text, 'latin1');
const none = new Uint8Array();
const labeled = (suite: Buffer, label: string, ikm: Uint8Array) =>
  Buffer.concat([ascii('HPKE-v1'), suite, ascii(label), ikm]);
const expanded = (prk: Uint8Array, suite: Buffer, label: string, info: Uint8Array, length: number) =>
  expand(sha256, prk, Buffer.concat([Uint8Array.of(0, length), labeled(suite, label, info)]), length);

/** RFC 9180, base mode, single shot. */
function open(enc: Buffer, info: string, aad: Buffer, sealed: Buffer): Buffer {
  const privateKey = createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), payloads.auditSecretKey]),
    ...({ format: 'der', type: 'pkcs8' } as const),
  });
  const publicKey = createPublicKey({
    key: Buffer.concat([Buffer.from('302a300506032b656e032100', 'hex'), enc]),
    ...({ format: 'der', type: 'spki' } as const),
  });
  const kem = Buffer.concat([ascii('KEM'), Buffer.from('0020', 'hex')]);
  const dh = diffieHellman({ privateKey, publicKey });
  const eae = extract(sha256, labeled(kem, 'eae_prk', dh), none);
  const secret = expanded(eae, kem, 'shared_secret', Buffer.concat([enc, payloads.auditPublicKey]), 32);
  const suite = Buffer.concat([ascii('HPKE'), Buffer.from('002000010003', 'hex')]);
  const idHash = extract(sha256, labeled(suite, 'psk_id_hash', none), none);
  const infoHash = extract(sha256, labeled(suite, 'info_hash', ascii(info)), none);
  const context = Buffer.concat([Uint8Array.of(0), idHash, infoHash]);
  const prk = extract(sha256, labeled(suite, 'secret', none), secret);
  const [key, nonce] = [expanded(prk, suite, 'key', context, 32), expanded(prk, suite, 'base_nonce', context, 12)]; // prettier-ignore
  const opener = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 });
  opener.setAuthTag(sealed.subarray(-16));
  opener.setAAD(aad, { plaintextLength: sealed.length - 16 });
  return Buffer.concat([opener.update(sealed.subarray(0, -16)), opener.final()]);
}

test('an access record is read by who knows the page about it, and none of our code', () => {
  const { access, accessRecord } = payloads;
  expect([access.length, access[16], access[17]]).toEqual([512, 2, 8]);
  const tagsAt = 18 + 32 + 256 + 16;
  const head = open(access.subarray(18, 50), 'firebreak/access/v2', access.subarray(0, 18), access.subarray(50, tagsAt)); // prettier-ignore
  expect(head.subarray(16, 20).toString('hex')).toBe('00000001'); // part 0 of 1
  const [question, padding] = decodeFirst(head.subarray(20), { strict: true }) as [unknown[], Uint8Array];
  const r = accessRecord;
  expect(question).toEqual([
    ...[r['officer'], r['purpose'], r['question'], r['cases'], r['hops'], r['from'], r['to'], r['minSeconds']],
    ...[r['latentSeconds'], null, r['attenuation'], 0, r.reached.length],
  ]); // prettier-ignore
  expect(padding.every((byte) => byte === 0)).toBe(true);

  const tags = open(access.subarray(tagsAt, tagsAt + 32), 'firebreak/access-tags/v2', access.subarray(0, tagsAt), access.subarray(tagsAt + 32)); // prettier-ignore
  const named: number[] = [];
  let [at, step, scale] = [4, 0, 1];
  while (named.length < tags.readUInt32BE(0)) {
    const byte = tags[at++] ?? 0;
    step += (byte & 127) * scale;
    scale *= 128;
    if (byte > 127) continue;
    named.push((named.at(-1) ?? 0) + step);
    [step, scale] = [0, 1];
  }
  expect(named).toEqual(r.reached);
  expect(tags.subarray(at).every((byte) => byte === 0)).toBe(true);
});
