/** A tracer on a log in memory, with the keys of the days around NOON; what a test is about it changes. */
import { dayOf } from '../../protocol/time.js';
import { memoryCheckpointStore } from '../../tracer/follow/checkpoint-store.js';
import { openTracer } from '../../tracer/tracer.js';
import type { Tracer, TracerDeps } from '../../tracer/tracer.js';
import { issuer, keysOf, NOON, SAMPLE_HOLD_SECONDS } from './deployment.js';
import { logKey } from './memory-log.js';
import type { MemoryLog } from './memory-log.js';

const DAY = dayOf(NOON);

export function tracerOn(log: MemoryLog, changes: Partial<TracerDeps> = {}): Tracer {
  return openTracer({
    reader: log.reader(),
    verifier: logKey,
    checkpoints: memoryCheckpointStore(),
    issuerPublicKey: issuer.publicKey,
    dayKeys: keysOf([DAY - 1, DAY, DAY + 1]),
    retentionDays: 21,
    sampleHoldSeconds: SAMPLE_HOLD_SECONDS,
    ...changes,
  });
}
