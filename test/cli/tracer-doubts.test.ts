/** `firebreak tracer doubts`: asked of a tracer that runs, and what stands on the screen. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { folderAt } from '../../cli/folder/folder.js';
import { readKeyFile } from '../../cli/files/key-files.js';
import { doubtLines } from '../../cli/present/show-doubts.js';
import { buildProgram } from '../../cli/program.js';
import { announce } from '../../cli/files/run-files.js';
import { toHex } from '../../protocol/bytes.js';
import { doubtsIn, MAX_LISTED } from '../../tracer/api/doubts.js';
import { serveTracerHttp } from '../../tracer/api/serve.js';
import { tokenHash } from '../../tracer/api/tokens.js';
import { MAX_KEPT } from '../../tracer/intake/doubts.js';
import type { Doubt } from '../../tracer/intake/doubts.js';
import { NOON, recordOf, reportOf } from '../tracer/deployment.js';
import { ward } from '../tracer/evidence-stage.js';
import { realApi } from '../tracer/api/stage.js';
import { attempt } from './in-process.js';

const DAY = 20_700; // 2026-09-04
const CLONE: Doubt = { kind: 'clone', day: DAY, ledger: [1305, 3080] };
const FORGED: Doubt = { kind: 'forged-beacon', day: DAY - 1, ledger: [2734], record: 2 };
const screen = (...evidence: readonly Doubt[]): string =>
  stripVTControlCharacters(doubtLines(doubtsIn(evidence), '/srv/data').join('\n'));

describe('the screen of what does not add up', () => {
  it('says of each kind what it means, and of each one where it stands, in numbers that can be typed', () => {
    const text = screen(CLONE, FORGED);
    expect(text).toMatch(/^copied tags {2}1 pair of reports, by day and ledger entry\n/);
    expect(text).toContain('it was copied, or set back to an older copy');
    expect(text).toContain('\n    2026-09-04  1305 and 3080\n');
    expect(text).toContain('\nforged beacons  1 record, by day and ledger entry\n');
    expect(text).toContain('beacons that no tag sent at that time');
    expect(text).toContain('\n    2026-09-03  2734, record 2\n');
    expect(text).not.toMatch(/…|counted only/);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(140);
  });

  it('is silent about a kind of which there is none', () => {
    expect(screen(CLONE)).not.toContain('forged');
    expect(screen(FORGED)).not.toContain('copied');
    expect(screen()).toBe(
      'It all adds up: of days within retention there are no reports of a copied tag and no forged beacons.',
    );
  });

  it('says that it has not room for all', () => {
    const many = Array.from({ length: MAX_LISTED + 1 }, () => CLONE);
    expect(screen(...many)).toContain('\n    … the newest 1,000 of these 1,001\n');
    expect(screen(...many)).not.toContain('counted only');
    const full = screen(...Array.from({ length: MAX_KEPT }, () => FORGED));
    expect(full).toContain('… the newest 1,000 of these 10,000\n');
    expect(full).toContain('what comes after these is counted only');
  });

  it('names commands that are there', () => {
    const named = [...screen(CLONE).matchAll(/firebreak (?:-- )?(\w+) (\w+) (.*?)(?: {2}|$)/gm)];
    expect(named.map(([, room, verb]) => `${room} ${verb}`)).toEqual(['ledger prove', 'authority status']);
    for (const [, room, verb, options = ''] of named) {
      const command = buildProgram()
        .commands.find((one) => one.name() === room)
        ?.commands.find((one) => one.name() === verb);
      for (const [option] of options.matchAll(/--[\w-]+/g))
        expect(command?.options.map(({ long }) => long)).toContain(option);
    }
  });
});

describe('firebreak tracer doubts', () => {
  let dir: string;
  beforeAll(async () => {
    dir = join(await mkdtemp(join(tmpdir(), 'firebreak-doubts-')), 'data');
    expect(await attempt('authority', 'init', '--data-dir', dir)).toMatchObject({ code: 0 });
    return () => rm(join(dir, '..'), { recursive: true, force: true });
  });

  it('asks the tracer that runs, with the token of the folder', async () => {
    const none = await attempt('tracer', 'doubts', '--data-dir', dir);
    expect(none).toMatchObject({ code: 1, text: expect.stringContaining('no tracer runs on') as string });
    const folder = folderAt(dir);
    const log = ward();
    const copy = log.append(reportOf({ tag: 1, records: [recordOf(4, NOON, 900)] }));
    const { api } = await realApi(log);
    const token = toHex(await readKeyFile(folder.tracer.apiToken));
    const tokens = [{ sha256: tokenHash(token), bearer: { roles: ['operator' as const] } }];
    const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const http = await serveTracerHttp({ api, tokens: () => tokens, port: 0, log: quiet });
    const takeBack = await announce(folder, 'tracer', { http: http.url });
    try {
      const shown = await attempt('tracer', 'doubts', '--data-dir', dir);
      expect(shown).toMatchObject({ code: 0, stderr: '' });
      expect(shown.stdout).toContain(`2026-09-04  3 and ${copy}\n`);
      expect(shown.stdout).toContain(`ledger prove --data-dir ${dir} --index N`);
      const told = await attempt('tracer', 'doubts', '--data-dir', dir, '--json');
      expect(JSON.parse(told.stdout)).toEqual(doubtsIn(api.doubts()));
    } finally {
      await takeBack();
      await http.close();
    }
  });
});
