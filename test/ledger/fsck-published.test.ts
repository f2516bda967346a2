/** What fsck makes of the checkpoint that was published. */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cleanLines, damageSummary } from '../../cli/present/show-fsck.js';
import { fsckLedger } from '../../ledger/fsck/fsck.js';
import { openLedger } from '../../ledger/ledger.js';
import { asTreeSize } from '../../protocol/brands.js';
import { signCheckpoint } from '../../protocol/tlog/checkpoint.js';
import { cosign, cosignerWithKey } from '../../protocol/tlog/cosignature.js';
import { noteSigner, readNote } from '../../protocol/tlog/note.js';
import type { WitnessPolicy } from '../../protocol/tlog/witness-policy.js';
import {
  batchOf,
  ledgerDeps,
  logSigner,
  noticeItem,
  officer,
  ORIGIN,
  signerOf,
  temporaryFolder,
} from './deployment.js';
import { foundIn } from './fsck-folder.js';

describe('the published checkpoint', () => {
  const witness = cosignerWithKey('witness.example/one', signerOf('witness one'));
  const policy: WitnessPolicy = {
    logs: [],
    witnesses: [{ name: 'one', cosigner: witness, url: undefined }],
    groups: [],
    quorum: 'one',
  };

  const WITHOUT_QUORUM =
    'lacks cosignatures that the policy asks for (one), as only the first one of a folder, or one from before this policy, may';

  async function publishedLedger(): Promise<{ readonly dir: string; readonly note: string }> {
    const dir = await temporaryFolder();
    const ledger = await openLedger(ledgerDeps(dir));
    await ledger.submit(batchOf(officer, 1, [noticeItem('a'), noticeItem('b')]));
    const signed = await ledger.reader().checkpoint();
    const note = signed + cosign(readNote(signed).text, witness, 1_790_000_000);
    await ledger.submit(batchOf(officer, 2, [noticeItem('c')]));
    await ledger.close();
    await writeFile(join(dir, 'published'), note);
    return { dir, note };
  }

  const check = async (dir: string, withPolicy = true) =>
    fsckLedger({ dir, verifier: logSigner, ...(withPolicy && { policy }) });

  test('is in order with the log that it is of, and any flipped bit of it is found', async () => {
    const { dir, note } = await publishedLedger();
    const report = await check(dir);
    expect(foundIn(report)).toEqual([]);
    expect(report.counted?.cosignaturesChecked).toBe(true);
    expect((await check(dir, false)).counted?.cosignaturesChecked).toBe(false);
    const keyStart = Buffer.from(note).lastIndexOf(witness.name);
    const keyEnd = keyStart + witness.name.length + ' '.length + 6; // base64 of the key hash
    for (let bit = 0; bit < Buffer.byteLength(note) * 8; bit += 29) {
      const flipped = Buffer.from(note);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await writeFile(join(dir, 'published'), flipped);
      const { findings } = await check(dir);
      // a key of another name or hash may be that of a witness who is no longer asked
      const isOfKey = bit >> 3 >= keyStart && bit >> 3 < keyEnd;
      const kind = isOfKey ? (expect.stringMatching(/^(damage|unchecked)$/) as string) : 'damage';
      expect(findings.kept.length, `bit ${bit}`).toBeGreaterThan(0);
      for (const found of findings.kept)
        expect(found, `bit ${bit}`).toMatchObject({ kind, file: 'published' });
    }
  });

  test('is of use without a cosignature that was damaged, and is said to be of none where all of it is', async () => {
    const { dir, note } = await publishedLedger();
    const damaged = async (at: number, byte: number) => {
      const bytes = Buffer.from(note);
      bytes[at] = byte;
      await writeFile(join(dir, 'published'), bytes);
      return check(dir);
    };
    for (const byte of [0xff, 0x2a, 0x0a]) {
      const report = await damaged(Buffer.byteLength(note) - 20, byte);
      expect(foundIn(report)).toEqual([
        'damage files published has signature lines that cannot be read; the ledger asks for what is missing when it is started',
      ]);
      expect(damageSummary(report, dir)).toMatch(/\. Nothing of the log is lost: do what is said above$/);
    }
    const wrong = await damaged(Buffer.byteLength(note) - 20, note.at(-20) === 'A' ? 66 : 65);
    expect(foundIn(wrong)).toEqual([
      'damage files published is damaged: the cosignature of witness.example/one on the checkpoint is not valid; the ledger asks ' +
        'for what is missing when it is started',
    ]);
    const useless = await damaged(2, 0xff);
    expect(foundIn(useless)).toEqual([
      expect.stringMatching(/^damage files published.* is not a checkpoint .*remove this file, and readers/),
    ]);
    expect(damageSummary(useless, dir)).toContain('. Nothing of the log is lost');
  });

  test('with cosignatures of witnesses who were replaced is in order, and is said not to be checked whole', async () => {
    const { dir } = await publishedLedger();
    const another = cosignerWithKey('witness.example/two', signerOf('witness two'));
    const replaced = { ...policy, witnesses: [{ name: 'one', cosigner: another, url: undefined }] };
    const report = await fsckLedger({ dir, verifier: logSigner, policy: replaced });
    expect(report.findings.damageCount).toBe(0);
    expect(foundIn(report)).toEqual([
      'unchecked files published bears a signature that is of no witness of the policy',
      `unchecked files published ${WITHOUT_QUORUM}`,
    ]);
    expect(report.counted?.cosignaturesChecked).toBe(false);
    expect(cleanLines(report, ORIGIN, dir).join('\n')).toContain('not all cosignatures were checked');
  });

  test('is not checked by a policy that names another log: that is told, and nothing is said of the file', async () => {
    const { dir } = await publishedLedger();
    const another = { verifier: noteSigner('ledger.example/another', officer), url: undefined };
    await expect(
      fsckLedger({ dir, verifier: logSigner, policy: { ...policy, logs: [another] } }),
    ).rejects.toMatchObject({
      code: 'foreign',
      message: expect.stringContaining('names other logs') as string,
    });
  });

  test('without the cosignatures that the policy asks for is no damage, and is said not to have them', async () => {
    const { dir, note } = await publishedLedger();
    const [text, signatures = ''] = note.split('\n\n');
    const [own = ''] = signatures.split('\n');
    await writeFile(join(dir, 'published'), `${text}\n\n${own}\n`);
    const report = await check(dir);
    expect(report.findings.damageCount).toBe(0);
    expect(foundIn(report)).toEqual([`unchecked files published ${WITHOUT_QUORUM}`]);
    expect(cleanLines(report, ORIGIN, dir).join('\n')).not.toContain('not all cosignatures were checked');
    const nobody = await fsckLedger({ dir, verifier: logSigner, policy: { ...policy, quorum: undefined } });
    expect(foundIn(nobody)).toEqual([]);
    expect(nobody.counted?.cosignaturesChecked).toBe(true);
    expect(foundIn(await check(dir, false))).toEqual([]);
  });

  test('is evidence of entries that are lost, or are others now', async () => {
    const { dir } = await publishedLedger();
    const cosigned = (size: number): string => {
      const signed = signCheckpoint(
        { origin: ORIGIN, size: asTreeSize(size), root: new Uint8Array(32) },
        logSigner,
      );
      return signed + cosign(readNote(signed).text, witness, 1_790_000_000);
    };
    await writeFile(join(dir, 'published'), cosigned(9));
    expect(foundIn(await check(dir))).toEqual([
      'damage state #3 and those behind it are lost: 9 entries were published',
    ]);
    await writeFile(join(dir, 'published'), cosigned(2));
    expect(foundIn(await check(dir))).toEqual([
      'damage state the log of 2 entries has another root than was published',
    ]);
  });

  test('that was never put in its place is only mentioned', async () => {
    const { dir } = await publishedLedger();
    await cp(join(dir, 'published'), join(dir, 'published.new'));
    expect(foundIn(await check(dir))).toEqual(['leftover files published.new was never put in its place']);
    expect((await readFile(join(dir, 'published.new'))).length).toBeGreaterThan(0);
  });
});
