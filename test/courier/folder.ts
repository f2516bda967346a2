/** Temporary folders and spools for the courier's tests. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openLevelSpool } from '../../courier/spool-level.js';
import { DEFAULT_SPOOL_LIMITS } from '../../courier/spool.js';
import type { Spool, SpoolLimits } from '../../courier/spool.js';

export async function temporaryFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-courier-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

export const WRITER_ID = new Uint8Array(16).fill(7);

export async function levelSpool(
  dir: string,
  limits: Partial<SpoolLimits> = {},
  writerId: Uint8Array = WRITER_ID,
): Promise<Spool> {
  const spool = await openLevelSpool(dir, writerId, { ...DEFAULT_SPOOL_LIMITS, ...limits });
  onTestFinished(() => spool.close());
  return spool;
}
