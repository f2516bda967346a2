import { describe, expect, it } from 'vitest';
import { ENTRY_TYPE } from '../../../protocol/tlog/entry.js';
import { FirebreakError } from '../../../protocol/errors.js';
import { silentLog } from '../../../protocol/log.js';
import { tracerAnswers } from '../../../tracer/api/answers.js';
import { healthOf } from '../../../tracer/api/health.js';
import { Pulse } from '../../../tracer/api/pulse.js';
import { refusedBy } from '../../../tracer/api/refusal.js';
import { follow } from '../../../tracer/follow/follow.js';
import { recordingTracer, ward } from '../evidence-stage.js';

const NOBODY = new AbortController().signal;
const MEMORY = { rss: 0, heapUsed: 0, arrayBuffers: 0 };

describe('a tracer that reads a long stretch of its ledger', () => {
  it('says so to whoever asks meanwhile, and how much is left, as soon as it has seen it', async () => {
    const log = ward();
    const reader = log.reader();
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    let isSlow = false;
    const slow = {
      ...reader,
      entryBundle: async (index: number, width: number) => {
        if (isSlow) await gate;
        return reader.entryBundle(index, width);
      },
    };
    const tracer = await recordingTracer(log, { reader: slow });
    const pulse = new Pulse(tracer, () => Date.now());
    isSlow = true;
    log.fill(12_288, 9);
    const reading = pulse.catchUp();
    await expect(pulse.readyFor(NOBODY, 50)).rejects.toMatchObject({
      status: 503,
      code: 'busy',
      message: expect.stringContaining('12288 entries are not taken in yet') as string,
    });
    const api = tracerAnswers({ tracer, pulse, looksRecorded: () => 0 });
    const health = healthOf(api, MEMORY, Date.now());
    expect(health).toMatchObject({ well: false, behind: 12_288 });
    open();
    expect(await reading).toMatchObject({ added: 12_288 });
    await pulse.readyFor(NOBODY);
    expect(pulse.standing().behind).toBe(0);
  });

  it('does not say that it reads when the ledger does not answer', async () => {
    const log = ward();
    const reader = log.reader();
    let isHalted = false;
    const halted = {
      ...reader,
      checkpoint: () => (isHalted ? new Promise<never>(() => undefined) : reader.checkpoint()),
    };
    const pulse = new Pulse(await recordingTracer(log, { reader: halted }), () => Date.now());
    await pulse.readyFor(NOBODY);
    isHalted = true;
    await expect(pulse.readyFor(NOBODY, 50)).rejects.toMatchObject({
      ...{ status: 503, code: 'busy' },
      message: expect.stringMatching(/^the ledger did not say in time/) as string,
    });
  });

  it('takes its own disk for what it is, when that is full', async () => {
    const log = ward();
    let isFull = false;
    const save = async (): Promise<void> => {
      if (isFull) throw new FirebreakError('input', '/srv/tracer/checkpoint cannot be written: ENOSPC');
    };
    const tracer = await recordingTracer(log, { checkpoints: { load: async () => undefined, save } });
    let nowMs = 0;
    const pulse = new Pulse(tracer, () => nowMs);
    isFull = true;
    await pulse.readyFor(NOBODY); // nothing is new, so nothing is saved
    nowMs = 1_000_000;
    log.fill(10, 9);
    const refused = refusedBy(await pulse.readyFor(NOBODY).catch((error: unknown) => error));
    expect(refused).toMatchObject({ status: 503, code: 'closed' });
    expect(refused.message).not.toContain('/srv');
    expect(pulse.standing().ledgerSeenMs).toBe(nowMs);
    const said: unknown[] = [];
    const stop = new AbortController();
    const warn = (...words: unknown[]): void => {
      said.push(...words);
      stop.abort();
    };
    await follow(pulse, { pollMs: 5, signal: stop.signal, log: { ...silentLog, warn } });
    expect(JSON.stringify(said)).toContain('ENOSPC');
    expect(JSON.stringify(said)).not.toContain('the ledger');
  });

  it('is not well when reading on fails for long after the ledger answered, and says why until it goes on', async () => {
    const log = ward();
    let nowMs = 0;
    const tracer = await recordingTracer(log);
    const pulse = new Pulse(tracer, () => nowMs);
    await pulse.catchUp();
    const api = tracerAnswers({ tracer, pulse, looksRecorded: () => 0 });
    const health = () => healthOf(api, MEMORY, nowMs);
    const fail = async (error: Error): Promise<void> => {
      log.fill(1, 7);
      log.failing = { call: 'payloads', error };
      log.append({ type: ENTRY_TYPE.tagReport, payload: Uint8Array.of(log.entries.length) });
      await expect(pulse.catchUp()).rejects.toThrow(error.message);
    };
    nowMs = 90_000;
    await fail(new FirebreakError('unreachable', 'the ledger at http://ledger cannot be reached'));
    expect(health()).toMatchObject({ well: true, failure: 'the ledger at http://ledger cannot be reached' });
    nowMs = 95_000;
    await fail(new FirebreakError('unreachable', 'the ledger at http://ledger cannot be reached'));
    expect(health()).toMatchObject({
      ...{ well: false, ledgerSeenAt: 95, readOnAt: 0 },
      problems: ['nothing new was taken in for 95 seconds: the ledger at http://ledger cannot be reached'],
    });
    await fail(new FirebreakError('damaged', 'the payloads of a day cannot be read'));
    expect(health()).toMatchObject({ failure: 'its log says why' });
    await fail(new Error('EIO: /srv/tracer'));
    expect(JSON.stringify(health())).not.toContain('/srv');
    const asked = new AbortController();
    asked.abort(new Error('gone'));
    await expect(pulse.catchUp(undefined, asked.signal)).rejects.toThrow('gone');
    expect(health().failure).toContain('its log');
    await pulse.catchUp();
    expect(health()).toMatchObject({ well: true, problems: [], failure: null, readOnAt: 95 });
  });

  it('is not kept up by those who do not wait any more', async () => {
    const asked = new AbortController();
    const pulse = new Pulse({ catchUp: () => new Promise(() => undefined) }, () => 0);
    const ready = pulse.readyFor(asked.signal);
    asked.abort(new Error('gone'));
    await expect(ready).rejects.toThrow('gone');
  });
});
