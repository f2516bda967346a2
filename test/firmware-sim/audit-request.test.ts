import { beforeAll, describe, expect, it } from 'vitest';
import { makeAuditRequest } from '../../firmware-sim/tag/audit-request.js';
import { emptyShelf } from '../../firmware-sim/tag/credential-shelf.js';
import { ratchetTagSecret } from '../../protocol/keys.js';
import { openAuditRequest } from '../../protocol/tag/audit-request.js';
import { asEpoch } from '../../protocol/brands.js';
import { issueCredential } from '../../protocol/tag/credential.js';
import { concat } from '../../protocol/bytes.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { epochSeed } from '../../protocol/keys.js';
import { DAY_SECONDS, EPOCHS_PER_DAY, firstEpochOfDay } from '../../protocol/time.js';
import { x25519KeyPair } from '../../protocol/crypto/x25519.js';
import { codeOf } from '../protocol/errors-of.js';

const DAY = 20_000;
const issuer = fastSigner(new Uint8Array(32).fill(1));
const secret = { day: DAY, bytes: new Uint8Array(32).fill(2) };
const shelf = emptyShelf();
const WALL_MS = 1_790_000_000_000;

beforeAll(() => {
  let ofDay: Uint8Array = secret.bytes;
  for (const day of [DAY, DAY + 1]) {
    const packed = Array.from({ length: EPOCHS_PER_DAY }, (_, k) => {
      const epoch = asEpoch(firstEpochOfDay(day) + k);
      const epochPublicKey = fastSigner(epochSeed(ofDay, epoch)).publicKey;
      const ephId = new Uint8Array(16).fill(k);
      const { signature } = issueCredential(issuer, { epoch, ephId, epochPublicKey });
      return concat(ephId, new Uint8Array(16), signature);
    });
    shelf.epochs.set(day, concat(...packed));
    ofDay = ratchetTagSecret(ofDay);
  }
});

let random = 0;
const make = (nowSeconds: number, state = { secret, shelf }) =>
  makeAuditRequest(state, {
    nowSeconds,
    wallMs: WALL_MS,
    random: (length) => new Uint8Array(length).fill((random += 1)),
    signerOf: fastSigner,
  });
const epochAsked = (nowSeconds: number) =>
  openAuditRequest(make(nowSeconds).request, issuer.publicKey).credential.epoch;

describe('an audit request of a tag', () => {
  it('is signed with the key of the present epoch, also on a day that the tag has not come to yet', () => {
    expect(epochAsked(DAY * DAY_SECONDS + 901)).toBe(firstEpochOfDay(DAY) + 1);
    expect(epochAsked((DAY + 1) * DAY_SECONDS + 86_399)).toBe(firstEpochOfDay(DAY + 1) + 95);
  });

  it('is signed with the last key there is a credential for, when the tag was switched off since', () => {
    expect(epochAsked((DAY + 9) * DAY_SECONDS)).toBe(firstEpochOfDay(DAY + 1) + 95);
  });

  it('leaves the secret of the tag as it was', () => {
    make((DAY + 1) * DAY_SECONDS);
    expect(secret).toEqual({ day: DAY, bytes: new Uint8Array(32).fill(2) });
  });

  it('is dated, differs each time, and names the key that opens the answer', () => {
    const [one, other] = [make(DAY * DAY_SECONDS), make(DAY * DAY_SECONDS)];
    expect(one.request).not.toEqual(other.request);
    const opened = openAuditRequest(one.request, issuer.publicKey);
    expect(opened.wallMs).toBe(WALL_MS);
    expect(opened.replyPublicKey).toEqual(x25519KeyPair(one.replySecretKey).publicKey);
    expect(one.requestHash).toEqual(sha256(one.request));
  });

  it('is not made without a credential for now or before', () => {
    expect(codeOf(() => make((DAY - 1) * DAY_SECONDS))).toBe('epoch');
    expect(codeOf(() => make(DAY * DAY_SECONDS, { secret, shelf: emptyShelf() }))).toBe('epoch');
  });
});
