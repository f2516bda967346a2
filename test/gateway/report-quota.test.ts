import { describe, expect, it } from 'vitest';
import { ReportQuota } from '../../gateway/report-quota.js';

const idOf = (number: number): Uint8Array => new Uint8Array(Buffer.from(String(number).padStart(16)));

describe('the quota of reports at a gateway', () => {
  it('is 128 of one ephemeral ID in one epoch, whatever others leave, and begins anew with the next', () => {
    const quota = new ReportQuota();
    for (let count = 0; count < 128; count += 1) quota.take(idOf(1), 7);
    expect(() => quota.take(idOf(1), 7)).toThrow(expect.objectContaining({ code: 'busy' }));
    quota.take(idOf(2), 7);
    quota.take(idOf(1), 8);
  });

  it('counts 32,768 IDs and no more: those it knows go on', () => {
    const quota = new ReportQuota();
    for (let id = 0; id < 32_768; id += 1) quota.take(idOf(id), 7);
    expect(() => quota.take(idOf(40_000), 7)).toThrow(expect.objectContaining({ code: 'busy' }));
    quota.take(idOf(0), 7);
    quota.take(idOf(40_000), 8);
  });
});
