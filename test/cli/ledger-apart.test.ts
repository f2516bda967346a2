/** A ledger on a machine of its own: the authority and the tracer have a folder without it, and it one without them. */
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { folderAt } from '../../cli/folder/folder.js';
import { ledgerElsewhere, type LedgerPlace } from '../../cli/folder/ledger-place.js';
import { runFirebreak, startFirebreak } from './firebreak-process.js';
import type { FirebreakProcess } from './firebreak-process.js';

let base: string;
const running: FirebreakProcess[] = [];
beforeAll(async () => void (base = await mkdtemp(join(tmpdir(), 'firebreak-apart-'))));
afterAll(() => rm(base, { recursive: true, force: true }));
afterEach(async () => void (await Promise.all(running.splice(0).map((one) => one.kill()))));

function start(...args: readonly string[]): FirebreakProcess {
  const one = startFirebreak(args);
  running.push(one);
  return one;
}

describe('a ledger on another machine', () => {
  it('is found by its addresses, takes what the authority says, and records a look before the tracer answers', async () => {
    const [home, away] = [join(base, 'home'), join(base, 'away')];
    await runFirebreak('authority', 'init', '--data-dir', home);
    await mkdir(away, { mode: 0o700 });
    await cp(join(home, 'firebreak.json'), join(away, 'firebreak.json'));
    await rename(join(home, 'ledger'), join(away, 'ledger'));
    await mkdir(join(home, 'ledger'), { mode: 0o700 });
    await cp(join(away, 'ledger', 'read.token'), join(home, 'ledger', 'read.token'));

    const ledger = start('ledger', 'run', '--data-dir', away);
    await ledger.says('the ledger is up');
    const { http, mqtt } = JSON.parse(
      await readFile(join(away, 'run', 'ledger.json'), 'utf8'),
    ) as LedgerPlace;
    await writeFile(join(home, 'ledger.place'), `${http}\n${mqtt}\n`);

    const second = await runFirebreak('ledger', 'run', '--data-dir', home);
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`the ledger of this deployment is at ${http}`);

    const authority = start('authority', 'run', '--data-dir', home);
    await authority.says('the authority is up');
    const tracer = start('tracer', 'run', '--data-dir', home);
    await tracer.says('the tracer is up');
    const plan = await runFirebreak('authority', 'retain', '--data-dir', home, '--dry-run');
    expect(plan.stdout).toContain('this was a dry run');
    const look = await runFirebreak('trace', '--data-dir', home, '--case', '17', '--purpose', 'apart');
    expect(look.stderr).toMatch(
      /case 17 is in no contact that is known: check the number; the look is recorded as ledger entry \d+$/m,
    );
    const log = await runFirebreak('ledger', 'verify', '--data-dir', home);
    expect(log.stdout).toMatch(/3 +day keys published/);
    expect(log.stdout).toMatch(/1 +look at a trace/);
  });
});

describe('ledger.place', () => {
  const place = async (text: string) => {
    const dir = await mkdtemp(join(base, 'place-'));
    await writeFile(join(dir, 'ledger.place'), text);
    return folderAt(dir);
  };

  it('holds two addresses', async () => {
    const folder = await place('https://ledger.example.org/log \r\nmqtts://ledger.example.org:8883 \r\n');
    const expected = { http: 'https://ledger.example.org/log', mqtt: 'mqtts://ledger.example.org:8883' };
    expect(await ledgerElsewhere(folder)).toEqual(expected);
    expect(await ledgerElsewhere(folderAt(base))).toBeUndefined();
  });

  it.each([
    ['', 'address of the ledger’s HTTP'],
    ['http://ledger.example.org\nmqtts://ledger.example.org\n', 'address of the ledger’s HTTP'],
    ['https://me:secret@ledger.example.org\nmqtts://ledger.example.org\n', 'address of the ledger’s HTTP'],
    ['https://ledger.example.org?x\nmqtts://ledger.example.org\n', 'address of the ledger’s HTTP'],
    ['https://ledger.example.org/#a\nmqtts://ledger.example.org\n', 'address of the ledger’s HTTP'],
    ['https:ledger.example.org\nmqtts://ledger.example.org\n', 'address of the ledger’s HTTP'],
    ['https://ledger.example.org\n', 'the second line'],
    ['https://ledger.example.org\nmqtt://ledger.example.org\n', 'use mqtts:// there'],
    ['https://ledger.example.org\nmqtts://ledger.example.org\nmore\n', 'address of the ledger’s HTTP'],
  ])('is refused when it holds %j, and shows no password', async (text, words) => {
    const asked = ledgerElsewhere(await place(text));
    await expect(asked).rejects.toMatchObject({ code: 'input' });
    await expect(asked).rejects.toThrow(words);
    await expect(asked).rejects.not.toThrow('secret');
  });
});
