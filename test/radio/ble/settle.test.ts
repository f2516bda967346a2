import { EventEmitter } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FirebreakError } from '../../../protocol/errors.js';
import { eventOf, orAborted, within } from '../../../radio/ble/settle.js';

/** What failed without anybody waiting for it, while a test ran: it would end the process. */
function unhandled(): unknown[] {
  const reasons: unknown[] = [];
  const listen = (reason: unknown): void => void reasons.push(reason);
  const before = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', listen);
  onTestFinished(() => {
    process.removeAllListeners('unhandledRejection');
    for (const one of before) process.on('unhandledRejection', one);
  });
  return reasons;
}

const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));
const failing = async (): Promise<never> => {
  await soon();
  throw new FirebreakError('closed', 'too late');
};

describe('a wait that is called off', () => {
  it.each(['before it begins', 'while it waits'])(
    '%s leaves nothing behind that ends the process',
    async (when) => {
      const reasons = unhandled();
      const abort = new AbortController();
      const why = new FirebreakError('epoch', 'the epoch is over');
      if (when === 'before it begins') abort.abort(why);
      const waiting = orAborted(failing(), abort.signal);
      abort.abort(why);
      await expect(waiting).rejects.toBe(why);
      await soon();
      await soon();
      expect(reasons).toEqual([]);
    },
  );

  it('gives what was waited for when that comes first', async () => {
    const { signal } = new AbortController();
    await expect(orAborted(Promise.resolve(7), signal)).resolves.toBe(7);
    await expect(orAborted(failing(), signal)).rejects.toMatchObject({ code: 'closed' });
  });
});

describe('a wait that takes too long', () => {
  it('ends with a word, and what comes later ends nothing', async () => {
    const reasons = unhandled();
    await expect(within(5, 'nobody answered', failing())).rejects.toMatchObject({
      code: 'timeout',
      message: 'nobody answered within 5 ms',
    });
    await soon();
    await soon();
    expect(reasons).toEqual([]);
  });

  it('leaves no listener behind', async () => {
    const emitter = new EventEmitter();
    await expect(eventOf(emitter, 'start', 5, () => undefined)).rejects.toMatchObject({ code: 'timeout' });
    await expect(eventOf(emitter, 'start', 500, () => emitter.emit('start', 1))).resolves.toEqual([1]);
    expect(emitter.listenerCount('start')).toBe(0);
  });
});
