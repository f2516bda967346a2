/** Nothing that a tag was told is delivered is lost or doubled. */
import { expect } from 'vitest';
import { toHex } from '../../protocol/bytes.js';
import type { LoggedReport } from '../cli/logged-reports.js';
import type { Deployment } from './deployment.js';

/**
 * A report's hash is with its tag: in the next report, as `prev`, and for the newest in the tag's state. A tag that never
 * saw a receipt sends the same plaintext again under a new nonce, so a (tag, seq) may be there twice; a hash may not.
 */
export function expectAcknowledgedOnce(
  deployment: Deployment,
  tags: readonly number[],
  reports: readonly LoggedReport[],
): void {
  const hashes = reports.map(({ hash }) => hash);
  expect(new Set(hashes).size).toBe(hashes.length);
  for (const tag of tags) {
    const own = reports.filter((report) => report.tag === tag);
    const chain = deployment.tag(tag)?.chain;
    const acknowledged = new Set(own.map(({ plaintext }) => toHex(plaintext.prev)));
    acknowledged.delete('00'.repeat(32));
    acknowledged.add(toHex(chain?.prev ?? new Uint8Array(0)));
    expect(acknowledged.size, `acknowledged reports of tag ${tag}`).toBe(chain?.nextSeq);
    for (const hash of acknowledged) expect(hashes.filter((logged) => logged === hash)).toHaveLength(1);
    const seqs = own.filter(({ hash }) => acknowledged.has(hash)).map(({ plaintext }) => plaintext.seq);
    expect(seqs).toEqual(Array.from({ length: chain?.nextSeq ?? 0 }, (_, seq) => seq));
    expectNothingLost(deployment, tag, own);
  }
}

/** What the tag counts as delivered is what the ledger holds of it, each report counted once. */
function expectNothingLost(deployment: Deployment, tag: number, own: readonly LoggedReport[]): void {
  const counters = deployment.tag(tag)?.counters;
  const bySeq = new Map(own.map(({ plaintext }) => [plaintext.seq, plaintext.records.length]));
  const records = [...bySeq.values()].reduce((sum, count) => sum + count, 0);
  expect({ reports: bySeq.size, records }).toEqual({
    reports: counters?.reports,
    records: counters?.delivered,
  });
  expect(counters?.logged).toBe(counters?.delivered);
  expect(deployment.tag(tag)?.table.evicted).toBe(0);
}
