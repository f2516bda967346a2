/** What whoever asks is told of a failure: what was made for them, and of all else only that there is one; the log says what. */
import { describe, expect, it, vi } from 'vitest';
import { FirebreakError } from '../../../protocol/errors.js';
import type { ErrorCode } from '../../../protocol/errors.js';
import { refusedBy } from '../../../tracer/api/refusal.js';
import { AskerError } from '../../../tracer/asker-error.js';
import { memoryContactStore } from '../../../tracer/contacts/open-contact-store.js';
import { memoryCheckpointStore } from '../../../tracer/follow/checkpoint-store.js';
import { threw, walksOf } from '../../../tracer/walk/walk-messages.js';
import { ward } from '../evidence-stage.js';
import { LOCAL, realApi, refusalOf, serve } from './stage.js';

const request = { case: '1', direction: 'forward', hops: 3, minSeconds: 900, latentSeconds: 0 } as const;
const asked = { purpose: 'ward outbreak', request };
const contactsOf2 = { purpose: 'visit', request: { person: '2' } };
const FAILED = {
  ...{ status: 503, code: 'closed' },
  message: 'the tracer failed to answer; its operator finds why in its log',
};

describe('a failure of the tracer’s own', () => {
  it('is answered in general words, and logged with what lies behind it', async () => {
    const { api } = await realApi();
    const why = 'the contact store in /srv/tracer/contacts stopped at an error: open it again';
    const cause = new Error('EIO: i/o error, write');
    const trace = () => Promise.reject(new FirebreakError('closed', why, { cause }));
    const { post, lines } = await serve({ ...api, trace });
    expect(await refusalOf(await post('/v1/trace', asked))).toEqual(FAILED);
    expect(lines.join('\n')).toContain(`${why} (EIO: i/o error, write)`);
  });

  it.each(['input', 'format', 'size', 'permission', 'not-found', 'damaged', 'full', 'unreachable'] as const)(
    'stays inside by where it arose, however it reads: %s',
    (code) => {
      const { why, ...told } = refusedBy(new FirebreakError(code, 'segment 7 is cut short'));
      expect(told).toEqual(FAILED);
      expect(why).toBe('segment 7 is cut short');
    },
  );

  it('says that a look was recorded before, and is logged all the same', async () => {
    const checkpoints = memoryCheckpointStore();
    const { api, log } = await realApi(ward(), { checkpoints });
    const { post, lines } = await serve(api);
    const before = log.entries.length;
    vi.spyOn(checkpoints, 'save').mockRejectedValue(new Error('ENOSPC: no space left on device'));
    expect(await refusalOf(await post('/v1/evidence', asked))).toEqual({
      ...FAILED,
      message: `${FAILED.message}; the look is recorded`,
    });
    expect(log.entries.length).toBe(before + 1);
    expect(lines.join('\n')).toContain(
      'the tracer cannot keep how far it has read (ENOSPC: no space left on device)',
    );
  });

  it('says so of a fault of ours too, and the log has its place alone', async () => {
    const { api, log } = await realApi();
    const { post, lines } = await serve(api);
    const append = log.append.bind(log);
    log.append = (entry) => {
      log.failing = { call: 'checkpoint', error: new RangeError('tag 151525 is out of range') };
      return append(entry);
    };
    expect(await refusalOf(await post('/v1/evidence', asked))).toEqual({
      ...{ ...FAILED, status: 500 },
      message: `${FAILED.message}; the look is recorded`,
    });
    expect(lines.join('\n')).toMatch(/a request failed.*RangeError at .*told-outside\.test\.ts/);
    expect(lines.join('\n')).not.toContain('151525');
  });

  it('is no answer, and no look, where its contacts lack what they should hold', async () => {
    const contacts = memoryContactStore();
    const { api, log } = await realApi(ward(), { contacts });
    const { post, lines } = await serve(api);
    const before = log.entries.length;
    contacts.contactAt = () => {
      throw new FirebreakError('not-found', 'segment 7 has no entry 12');
    };
    expect(await refusalOf(await post('/v1/contacts', contactsOf2))).toEqual(FAILED);
    expect(await refusalOf(await post('/v1/trace', asked))).toEqual(FAILED);
    expect(log.entries.length).toBe(before);
    expect(lines.join('\n')).toContain('segment 7 has no entry 12');
  });

  it.each([
    ['permission', 'the ledger at http://ledger does not accept this payload token'],
    ['not-found', 'the ledger at http://ledger has no tile/0/000'],
    ['format', 'the ledger at http://ledger sent a checkpoint that is not text'],
  ] as const)(
    'is not taken for one of the question when the ledger answers it with %s',
    async (code, words) => {
      const { api, log } = await realApi();
      const { post, lines } = await serve(api);
      log.failing = { call: 'checkpoint', error: new FirebreakError(code, words) };
      expect(await refusalOf(await post('/v1/trace', asked))).toEqual(FAILED);
      expect(lines.join('\n')).toContain(words);
    },
  );
});

describe('whoever asks is told', () => {
  it.each([
    ['input', 400],
    ['format', 400],
    ['permission', 403],
    ['not-found', 404],
    ['size', 413],
    ['timeout', 504],
    ['busy', 503],
    ['full', 503],
  ] as const)('what was made for them: %s', (code: ErrorCode, status) => {
    const words = 'the trace of 151525 took longer than it may';
    expect(refusedBy(new AskerError(code, words))).toEqual({ status, code, message: words });
  });

  it.each(['unreachable', 'timeout'] as const)('that the ledger is away: %s', async (code) => {
    const { api, log } = await realApi();
    const { post, lines } = await serve(api);
    const words = 'the ledger at http://127.0.0.1:8080/log cannot be reached: check that it is running';
    log.failing = { call: 'checkpoint', error: new FirebreakError(code, words) };
    expect(await refusalOf(await post('/v1/trace', asked))).toMatchObject({ code, message: words });
    expect(lines.join('\n')).not.toContain(words);
  });

  it.each([
    'the ledger at http://127.0.0.1:8080/log cannot be reached: check that it is running',
    'reports wait for keys, which are not in authority/day-keys',
    'hops: 1/2 is no whole number',
  ])('words that only look like a folder: %s', (message) => {
    expect(refusedBy(new AskerError('busy', message))).toEqual({ status: 503, code: 'busy', message });
  });

  it('that the log does not add up', async () => {
    const { api, log } = await realApi();
    const { post } = await serve(api);
    log.entries.pop();
    const message = expect.stringContaining('it was rolled back') as string;
    const refused = await refusalOf(await post('/v1/trace', asked));
    expect(refused).toMatchObject({ status: 503, code: 'consistency', message });
  });

  it.each(['officer', 'purpose'])('that words are blank, before a walk: %s', async (word) => {
    const { api } = await realApi();
    const trace = vi.spyOn(api, 'trace');
    const { post } = await serve(api);
    for (const words of ['', ' ', '\u00a0\u3000']) {
      const refused = await refusalOf(
        await post('/v1/trace', { ...asked, officer: 'Wu', [word]: words }, LOCAL),
      );
      expect(refused).toMatchObject({ status: 400, code: 'input' });
    }
    expect(trace).not.toHaveBeenCalled();
  });

  it.each(['officer', 'purpose'])(
    'that the ledger has no room for so long a word, before a walk: %s',
    async (word) => {
      const { api } = await realApi();
      const trace = vi.spyOn(api, 'trace');
      const { post } = await serve(api);
      for (const words of ['吴'.repeat(86), 'x'.repeat(257)]) {
        const refused = await refusalOf(
          await post('/v1/trace', { ...asked, officer: 'Wu', [word]: words }, LOCAL),
        );
        expect(refused).toMatchObject({ status: 400, code: 'input' });
        expect(refused.message).toContain(`${word}: it must be at most 256 bytes of UTF-8`);
      }
      expect(trace).not.toHaveBeenCalled();
      const longest = { ...asked, officer: 'Wu', [word]: `x${'吴'.repeat(85)}` };
      expect((await post('/v1/trace', longest, LOCAL)).status).toBe(200);
    },
  );
});

it.each([
  '/srv/tracer/checkpoint cannot be written: ENOSPC',
  "EACCES: permission denied, open '/srv/tracer/contacts/manifest.json'",
  'cannot read “C:\\firebreak\\tracer”',
  'no room below ~/firebreak',
  'dir=../data',
])('keeps %s inside though it was made for whoever asks, and logs where it was', (words) => {
  const { why, ...told } = refusedBy(new AskerError('input', words));
  expect(told).toEqual(FAILED);
  expect(why).toContain('told-outside.test.ts');
  expect(why).not.toContain(words);
});

it('is told what a thread that walks made for whoever asked, and nothing else that it threw', () => {
  const over = (error: Error): unknown => {
    try {
      return walksOf(structuredClone(threw(error)));
    } catch (thrown) {
      return thrown;
    }
  };
  expect(over(new AskerError('not-found', 'case 9 is in no contact'))).toBeInstanceOf(AskerError);
  expect(over(new FirebreakError('not-found', 'segment 7 has no entry 12'))).not.toBeInstanceOf(AskerError);
});
