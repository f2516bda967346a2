/** What the system refused is said in plain words, and what cannot be seen is not said to be missing. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { describeError } from '../../cli/terminal/exit.js';
import { isThere, nothingWhenMissing, systemReason } from '../../host/system-words.js';
import { requireLedgerFolder } from '../../ledger/fsck/folder-files.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'firebreak-words-'));
  onTestFinished(() => rm(dir, { recursive: true }));
});

const failed = (code: string) => Object.assign(new Error(`${code}: mkdir '/x'`), { code });

describe('an error of the system', () => {
  it.each([
    ['EACCES', 'run it as the user that the folder belongs to'],
    ['EROFS', 'the disk may only be read'],
    ['ENOSPC', 'make room, then try again'],
    ['EISDIR', 'it is a folder'],
  ])('%s is told in plain words, and not as unexpected', (code, words) => {
    expect(systemReason(failed(code))).toContain(words);
    expect(describeError(failed(code), false)).toContain(words);
    expect(describeError(failed(code), false)).toContain("mkdir '/x'");
    expect(describeError(failed(code), false)).not.toContain('unexpected');
  });

  it('of another kind stays as it is, and unexpected', () => {
    expect(systemReason(failed('ESOME'))).toBe("ESOME: mkdir '/x'");
    expect(describeError(failed('ESOME'), false)).toContain('unexpected');
    expect(describeError(new TypeError('x is no function'), false)).toContain('unexpected');
  });
});

describe('a path', () => {
  it('is there, or is not', async () => {
    expect(isThere(join(dir, 'gone'))).toBe(false);
    await writeFile(join(dir, 'file'), '');
    expect(isThere(join(dir, 'file'))).toBe(true);
    expect(nothingWhenMissing('it')(failed('ENOENT'))).toBeUndefined();
  });

  it('that cannot be looked at is not said to be missing', async () => {
    const loop = join(dir, 'loop');
    await symlink(loop, loop);
    expect(() => isThere(loop)).toThrow(`${loop} cannot be looked at`);
    expect(() => nothingWhenMissing('it')(failed('EACCES'))).toThrow('it cannot be read: this user may not');
    await mkdir(join(dir, 'ledger'));
    await symlink(join(dir, 'ledger', 'store'), join(dir, 'ledger', 'store'));
    expect(() => requireLedgerFolder(join(dir, 'ledger'))).toThrow('cannot be looked at');
  });
});
