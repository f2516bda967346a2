import { describe, expect, it } from 'vitest';
import { openAccessRecord } from '../../authority/looks/audit.js';
import { asTagNumber, asUnixMs } from '../../protocol/brands.js';
import { NO_PREVIOUS_LEAF, type LedgerEntry } from '../../protocol/tlog/entry.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { joinAccess, sealAccess, type AccessRecord } from '../../protocol/payload/access.js';
import { x25519KeyPair } from '../../protocol/crypto/x25519.js';
import { secretOf } from './fixture.js';

const audit = x25519KeyPair(secretOf('audit'));
const record: AccessRecord = {
  officer: 'Dr A. Example',
  purpose: 'measles, ward 4',
  question: 'both',
  cases: [asTagNumber(1157)],
  hops: 3,
  from: 1_700_000_000,
  to: 1_700_600_000,
  minSeconds: 900,
  latentSeconds: 172_800,
  infectiousSeconds: null,
  attenuation: 'near',
  presence: false,
  reached: [3, 12].map(asTagNumber),
};

function logged(type: number): { entry: LedgerEntry; payload: Uint8Array } {
  const [sealed] = sealAccess(record, {
    look: secretOf('look').slice(0, 16),
    salt: () => secretOf('salt').slice(0, 16),
    recipientPublicKey: audit.publicKey,
  });
  const payload = sealed?.payload ?? new Uint8Array();
  const entry = {
    type,
    appendedAtMs: asUnixMs(7),
    source: new Uint8Array(16),
    sourceSeq: 0,
    sourceTimeMs: asUnixMs(5),
    payloadLength: payload.length,
    payloadSha256: sha256(payload),
    previousLeaf: NO_PREVIOUS_LEAF,
  };
  return { entry, payload };
}

describe('an access entry', () => {
  it('tells the holder of the audit key who looked, for which case and why', () => {
    const { entry, payload } = logged(6);
    const { part, ...times } = openAccessRecord(entry, payload, audit.secretKey);
    expect(times).toEqual({ writtenAtMs: 5, appendedAtMs: 7 });
    expect(joinAccess([part])).toEqual(record);
  });

  it('tells nobody else', () => {
    const { entry, payload } = logged(6);
    const other = x25519KeyPair(secretOf('other')).secretKey;
    expect(() => openAccessRecord(entry, payload, other)).toThrow(
      expect.objectContaining({ code: 'sealing' }),
    );
  });

  it('is refused with a payload that the log does not commit to', () => {
    const { entry } = logged(6);
    const { payload } = logged(6);
    expect(() => openAccessRecord(entry, payload, audit.secretKey)).toThrow(
      expect.objectContaining({ code: 'proof' }),
    );
  });

  it('is refused when it is of another type', () => {
    const { entry, payload } = logged(5);
    expect(() => openAccessRecord(entry, payload, audit.secretKey)).toThrow(
      expect.objectContaining({ code: 'input' }),
    );
  });
});
