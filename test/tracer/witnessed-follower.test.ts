import { expect, it } from 'vitest';
import { cosign, formatCosignerKey } from '../../protocol/tlog/cosignature.js';
import { openNote } from '../../protocol/tlog/note.js';
import { parsePolicy } from '../../protocol/tlog/policy-file.js';
import { memoryCheckpointStore } from '../../tracer/follow/checkpoint-store.js';
import { Follower } from '../../tracer/follow/follower.js';
import { cosignerNamed } from '../witness/running-witness.js';
import { logKey, MemoryLog } from './memory-log.js';

const hospital = cosignerNamed('hospital');
const policy = parsePolicy(`witness hospital ${formatCosignerKey(hospital)}\nquorum hospital\n`);

it('a follower with a policy uses nothing under a checkpoint that its witnesses did not cosign', async () => {
  const log = new MemoryLog().fill(5);
  const reader = log.reader();
  const checkpoints = memoryCheckpointStore();
  let isCosigned = true;
  let seen = 0;
  const follower = new Follower({
    reader: {
      ...reader,
      checkpoint: async () => {
        const note = await reader.checkpoint();
        return isCosigned ? note + cosign(openNote(note, [logKey]).text, hospital, 1000) : note;
      },
    },
    verifier: logKey,
    policy,
    checkpoints,
    onPage: async (entries) => void (seen += entries.length),
  });
  await follower.catchUp();
  expect(seen).toBe(5);
  log.fill(3, 1);
  isCosigned = false;
  await expect(follower.catchUp()).rejects.toMatchObject({ code: 'witness' });
  await expect(follower.catchUp()).rejects.toThrow('missing hospital');
  expect([seen, follower.size]).toEqual([5, 5]);
  expect(await checkpoints.load()).toContain('\n5\n');
  isCosigned = true;
  await follower.catchUp();
  expect(seen).toBe(8);
});
