import { describe, expect, it } from 'vitest';
import { asTreeSize } from '../../protocol/brands.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { ErrorCode } from '../../protocol/errors.js';
import type { Log } from '../../protocol/log.js';
import { emptyRoot } from '../../protocol/tlog/merkle.js';
import { follow } from '../../tracer/follow/follow.js';

const caughtUp = (added: number) => ({
  added,
  note: '',
  checkpoint: { origin: 'log.example/test', size: asTreeSize(0), root: emptyRoot() },
});

/** Answers the turns given, then stops the following. */
function stage(turns: readonly (number | Error)[]) {
  const stop = new AbortController();
  const warnings: unknown[] = [];
  const added: number[] = [];
  const log: Log = {
    info: () => {},
    error: () => {},
    warn: (_message, fields) => void warnings.push(fields),
  };
  let turn = 0;
  const catchUp = async () => {
    const now = turns[turn++];
    if (now === undefined) stop.abort();
    if (now instanceof Error) throw now;
    return caughtUp(now ?? 0);
  };
  const over = follow(
    { catchUp },
    { signal: stop.signal, pollMs: 1, log, onAdded: (count) => added.push(count) },
  );
  return { over, warnings, added, turns: () => turn };
}

describe('following a ledger', () => {
  it('tells what was new and ends when it is stopped', async () => {
    const { over, added, warnings } = stage([3, 0, 2]);
    await over;
    expect(added).toEqual([3, 2]);
    expect(warnings).toEqual([]);
  });

  it('tries again, each time later, and comes back to its pace', async () => {
    const away = new FirebreakError('unreachable', 'the ledger is away');
    const { over, warnings, added } = stage([away, away, new Error('odd'), 4, away]);
    await over;
    expect(added).toEqual([4]);
    expect(warnings).toEqual([
      { why: 'the ledger is away', pauseMs: 2 },
      { why: 'the ledger is away', pauseMs: 4 },
      { why: 'odd', pauseMs: 8 },
      { why: 'the ledger is away', pauseMs: 2 },
    ]);
  });

  it.each(['consistency', 'chain', 'signature', 'foreign'] satisfies ErrorCode[])(
    'ends with the error when the log does not add up: %s',
    async (code) => {
      const { over, turns } = stage([1, new FirebreakError(code, 'another history'), 1]);
      await expect(over).rejects.toMatchObject({ code });
      expect(turns()).toBe(2);
    },
  );

  it('does not wait for its pause when it is stopped', async () => {
    const stop = new AbortController();
    const log: Log = { info: () => {}, error: () => {}, warn: () => {} };
    const catchUp = async () => caughtUp(0);
    const over = follow({ catchUp }, { signal: stop.signal, pollMs: 600_000, log });
    setTimeout(() => stop.abort(), 5);
    await over;
    expect(stop.signal.aborted).toBe(true);
  });
});
