/** `firebreak audit` on the folder a demo leaves: 1 was with 2, and 2 with 3; one look was recorded, at case 1. */
import { randomBytes } from 'node:crypto';
import { cp, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { openEnrolmentHttp } from '../../authority/http.js';
import { readConfig } from '../../cli/folder/config.js';
import { dayKeyFiles } from '../../cli/days/day-key-files.js';
import { signerFrom } from '../../cli/folder/deployment.js';
import { openFolderClock } from '../../cli/days/folder-clock.js';
import { folderAt, tagFolder } from '../../cli/folder/folder.js';
import { runningTracer } from '../../cli/parts/asked-tracer.js';
import { startAudit } from '../../cli/parts/audit.js';
import { openFolderReader } from '../../cli/parts/ledger.js';
import { announce } from '../../cli/files/run-files.js';
import { addPack } from '../../firmware-sim/tag/credential-shelf.js';
import { fileTagStore } from '../../firmware-sim/tag/tag-store-file.js';
import { epochPublicKeys } from '../../firmware-sim/tag/tag-secret.js';
import { newTagState } from '../../firmware-sim/tag/tag-state.js';
import { asEpoch, asTagNumber } from '../../protocol/brands.js';
import { issueCredential } from '../../protocol/tag/credential.js';
import { issueDayKeyStatement } from '../../protocol/session/day-key-statement.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { authKeyOf, makeEphemeralId } from '../../protocol/tag/ephemeral-id.js';
import { silentLog } from '../../protocol/log.js';
import { dayOf, firstEpochOfDay } from '../../protocol/time.js';
import { startFirebreak } from './firebreak-process.js';
import { attempt } from './in-process.js';
import { openWorkshop } from './small-demo.js';
import type { Workshop } from './small-demo.js';

let workshop: Workshop;
let dir: string;
const STRANGER = 4_321_987;

/** A tag that was in no demo, certified with the folder's own keys as of now; those of a demo left their folders. */
async function certifyTag(dataDir: string, number: number): Promise<void> {
  const folder = folderAt(dataDir);
  const { settings, issuerPublicKey } = await readConfig(folder);
  const day = dayOf((await openFolderClock(folder)).nowMs() / 1000);
  const [issuer, keys] = [await signerFrom(folder.authority.issuerKey), await dayKeyFiles(folder.authority.dayKeys).get(day)]; // prettier-ignore
  if (keys === undefined) throw new Error('the demo left no keys of today');
  const secret = { day, bytes: new Uint8Array(randomBytes(32)) };
  const epochs = epochPublicKeys(secret, day, 1, fastSigner).map((epochPublicKey, k) => {
    const epoch = asEpoch(firstEpochOfDay(day) + k);
    const ephId = makeEphemeralId(keys.idKey, asTagNumber(number), epoch);
    const { signature } = issueCredential(issuer, { epoch, ephId, epochPublicKey });
    return { ephId, authKey: authKeyOf(keys.macKey, ephId), credentialSignature: signature };
  });
  const state = newTagState({ settings, issuerPublicKey, secret });
  const statement = issueDayKeyStatement(issuer, day, keys.sealingPublicKey);
  addPack(state.shelf, { requestHash: new Uint8Array(32), firstDay: day, days: [{ statement, epochs }] });
  const own = tagFolder(folder, number);
  await mkdir(own.state, { recursive: true });
  fileTagStore(join(own.state, 'tag.json')).save(state);
}

beforeAll(async () => {
  workshop = await openWorkshop();
  dir = await workshop.copy();
  await certifyTag(dir, STRANGER);
  return () => workshop.remove();
});

/** What a wearer has on a machine of their own. */
async function tagAlone(number: number): Promise<string> {
  const folder = folderAt(workshop.path(`tag-${number}-alone`));
  const own = [folderAt(dir).config, folderAt(dir).clock, tagFolder(folderAt(dir), number).dir];
  for (const part of own) await cp(part, join(folder.dir, relative(dir, part)), { recursive: true });
  return folder.dir;
}

const audit = (tag: number, ...more: readonly string[]) => auditIn(dir, tag, ...more);
const auditIn = (dataDir: string, tag: number, ...more: readonly string[]) =>
  attempt('audit', '--data-dir', dataDir, '--tag', String(tag), ...more);

interface Shown {
  readonly entries: number;
  readonly unreadCount: number;
  readonly looks: readonly {
    readonly role: string;
    readonly writtenAt: number;
    readonly whole: string;
    readonly asked: Readonly<Record<string, unknown>>;
    readonly ledger: readonly { readonly index: number; readonly leaf: string }[];
  }[];
}
async function shownTo(tag: number, dataDir = dir): Promise<Shown> {
  const { code, text } = await auditIn(dataDir, tag, '--json');
  expect(code, text).toBe(0);
  return JSON.parse(text) as Shown;
}

/** What was asked in each look that the tag was in, as what it was in it, and the entries that say so. */
async function rolesOf(tag: number, dataDir: string): Promise<readonly (readonly unknown[])[]> {
  const { looks } = await shownTo(tag, dataDir);
  return looks.map(({ asked, role, ledger }) => [
    asked['question'],
    role,
    ...ledger.map(({ index }) => index),
  ]);
}

/** Puts questions to the tracer of a folder, over HTTP; each gives the entry that records its look. */
async function tracerOf(dataDir: string): Promise<(path: string, request: object) => Promise<number>> {
  const running = ['ledger', 'tracer'].map((room) => startFirebreak([room, 'run', '--data-dir', dataDir]));
  onTestFinished(async () => void (await Promise.all(running.map((one) => one.kill()))));
  await running[1]?.says('the tracer is up');
  const [url, token] = (await runningTracer(folderAt(dataDir))) ?? [];
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return async (path, request) => {
    const body = JSON.stringify({ officer: 'Dr. Bo', purpose: 'ward outbreak', request });
    const response = await fetch(new URL(path, url), { method: 'POST', headers, body });
    expect(response.status).toBe(200);
    return ((await response.json()) as { accessIndex: number }).accessIndex;
  };
}

describe('firebreak audit', () => {
  test('shows a tag that a trace reached who looked, when and why, in plain words', async () => {
    const { code, text } = await audit(2);
    expect(code, text).toBe(0);
    for (const words of [
      'One look was at a trace that reached your tag',
      'your tag is in the answer',
      'who may have been infected by a case, from Wed, 15 Nov 2023',
      'within 3 hops, contacts of at least 15 min (near), passed on from 0 s after exposure',
      'firebreak ledger prove --data-dir',
    ])
      expect(text).toContain(words);
  });

  test('shows each tag its own role, a look that is proved to be in the log, and a stranger nothing', async () => {
    const [second, third, first, stranger] = [await shownTo(2), await shownTo(3), await shownTo(1), await shownTo(STRANGER)]; // prettier-ignore
    expect([second, third, first].map(({ looks }) => looks.map(({ role }) => role))).toEqual([['reached'], ['reached'], ['case']]); // prettier-ignore
    expect(stranger).toMatchObject({ looks: [], unreadCount: 0, entries: second.entries });
    const [look] = second.looks;
    expect(look).toMatchObject({ whole: 'yes', asked: { question: 'forward', hops: 3, minSeconds: 900 } });
    const [entry] = look?.ledger ?? [];
    const out = workshop.path(`${entry?.index}.tlog-proof`);
    const proved = await attempt('ledger', 'prove', '--data-dir', dir, '--index', String(entry?.index), '--out', out); // prettier-ignore
    expect(proved.text).toContain(`leaf hash ${entry?.leaf}`);
    expect(proved.text).toContain('type      6, looks at traces');
  });

  test('says plainly that nobody looked', async () => {
    const { code, text } = await audit(STRANGER);
    expect(code).toBe(0);
    expect(text).toContain('Nobody has looked at a trace that reached your tag.');
  });

  test('shows a look that is recorded later', async () => {
    const later = await workshop.copy();
    for (const number of [2, 3]) await certifyTag(later, number);
    const look = ['--officer', 'Dr. Bo', '--purpose', 'school of the second child'];
    const traced = await attempt('trace', '--data-dir', later, '--case', '3', '--direction', 'backward', '--latent-seconds', '0', ...look); // prettier-ignore
    expect(traced.code, traced.text).toBe(0);
    const { text } = await attempt('audit', '--data-dir', later, '--tag', '2');
    expect(text).toContain('2 looks were at traces that reached your tag');
    expect(text).toContain('Dr. Bo');
    expect(text).toContain('school of the second child');
    const asCase = await attempt('audit', '--data-dir', later, '--tag', '3');
    expect(asCase.text).toContain('your tag is the one that was asked about');
  });

  test('shows looks of every kind to those in them: a cluster, a page of contacts, a path', async () => {
    const asked = await workshop.copy();
    for (const number of [1, 2, 3, STRANGER]) await certifyTag(asked, number);
    const ask = await tracerOf(asked);
    const walk = { hops: 3, minSeconds: 900, latentSeconds: 0 };
    const cluster = await ask('/v1/cluster', { ...walk, cases: [{ tag: '1' }, { tag: '3' }] });
    const contacts = await ask('/v1/contacts', { person: '1' });
    const path = await ask('/v1/path', { ...walk, case: '2', direction: 'forward', person: '3' });
    const [before] = (await shownTo(1)).looks;
    const demo = before?.ledger[0]?.index;
    expect(await rolesOf(1, asked)).toEqual([
      ['forward', 'case', demo],
      ['cluster', 'case', cluster],
      ['contacts', 'case', contacts],
    ]);
    expect(await rolesOf(2, asked)).toEqual([
      ['forward', 'reached', demo],
      ['cluster', 'reached', cluster],
      ['contacts', 'reached', contacts],
      ['path', 'case', path],
    ]);
    expect(await rolesOf(3, asked)).toEqual([
      ['forward', 'reached', demo],
      ['cluster', 'case', cluster],
      ['path', 'reached', path],
    ]);
    const stranger = await shownTo(STRANGER, asked);
    expect(stranger).toMatchObject({ looks: [], unreadCount: 0 });
    expect(stranger.entries).toBeGreaterThan(path);
    const { text } = await auditIn(asked, 1);
    expect(text).toContain('your tag is one of the cases that were asked about');
    expect(text).toContain('the contacts of one person');
  });

  test('reads the log to its end, however long that takes, where no authority runs', async () => {
    const real = setTimeout;
    const AUTHORITYS_PATIENCE_MS = 20_000;
    const hurried = (work: () => void, ms?: number) => real(work, ms === AUTHORITYS_PATIENCE_MS ? 0 : ms);
    const spy = vi.spyOn(globalThis, 'setTimeout').mockImplementation(hurried);
    try {
      expect((await shownTo(2)).looks).toHaveLength(1);
    } finally {
      spy.mockRestore();
    }
  });

  test('asks the authority that runs, by wire', async () => {
    const [folder, config] = [folderAt(dir), await readConfig(folderAt(dir))];
    const reader = await openFolderReader(folder, config);
    const asked: number[] = [];
    const desk = await startAudit(
      { folder, config, clock: await openFolderClock(folder), log: silentLog },
      reader,
    );
    const nobody = async () => new Uint8Array();
    const service = {
      enrol: nobody,
      renew: nobody,
      audit: (request: Uint8Array) => {
        asked.push(request.length);
        return desk.audit(request);
      },
    };
    const http = await openEnrolmentHttp({ service, log: silentLog });
    const url = `http://127.0.0.1:${http.port}`;
    const wearers = await tagAlone(2);
    const elsewhere = await attempt('audit', '--data-dir', wearers, '--tag', '2', '--authority', url);
    expect([elsewhere.code, elsewhere.text]).toEqual([0, expect.stringContaining('One look was at a trace')]);
    expect(elsewhere.text).not.toContain('ledger prove --data-dir');
    expect(elsewhere.text).toContain(`firebreak ledger check-proof FILE --vkey ${config.logKey}`);
    await writeFile(folderAt(wearers).ledgerPlace, 'https://ledger.example\nmqtts://ledger.example\n');
    await mkdir(folderAt(wearers).ledger.dir);
    await cp(folder.ledger.readToken, folderAt(wearers).ledger.readToken);
    const withToken = await attempt('audit', '--data-dir', wearers, '--tag', '2', '--authority', url);
    expect(withToken.text).toContain(`firebreak ledger prove --data-dir ${wearers} --index ENTRY`);
    const leave = await announce(folder, 'authority', { http: url });
    try {
      expect((await shownTo(2)).looks).toHaveLength(1);
      expect(asked).toEqual([238, 238, 238]);
    } finally {
      await leave();
      await http.close();
      await reader.close();
    }
  });

  test('takes no answer about a log that the witnesses of a policy have not cosigned', async () => {
    const witness = workshop.path('hospital');
    await attempt('witness', 'init', witness, '--name', 'hospital.example/witness');
    const { text: shown } = await attempt('witness', 'show', witness);
    const [, key = ''] = /public key (\S+)/.exec(shown) ?? [];
    const policy = workshop.path('policy');
    await writeFile(policy, `witness hospital ${key}\nquorum hospital\n`);
    const { code, text } = await audit(2, '--policy', policy);
    expect([code, text]).toEqual([1, expect.stringContaining('missing hospital')]);
  });

  test('is refused to who has the number and not the key', async () => {
    const forged = await workshop.copy();
    await certifyTag(forged, 3);
    const own = join(tagFolder(folderAt(forged), 3).state, 'tag.json');
    const state = JSON.parse(await readFile(own, 'utf8')) as { secret: { bytes: string } };
    await writeFile(own, JSON.stringify({ ...state, secret: { ...state.secret, bytes: '11'.repeat(32) } }));
    const { code, text } = await attempt('audit', '--data-dir', forged, '--tag', '3');
    expect(code).toBe(1);
    expect(text).toContain('the credential is not signed by the issuer');
  });

  test('says what is missing', async () => {
    const noTag = await audit(77);
    expect([noTag.code, noTag.text]).toEqual([1, expect.stringContaining('firebreak tag run')]);
    const noNumber = await attempt('audit', '--data-dir', dir);
    expect([noNumber.code, noNumber.text]).toEqual([2, expect.stringContaining('--tag')]);
    const bare = await workshop.copy();
    await certifyTag(bare, 2);
    await rename(folderAt(bare).authority.auditKey, workshop.path('audit.key'));
    const alone = await attempt('audit', '--data-dir', bare, '--tag', '2');
    expect([alone.code, alone.text]).toEqual([
      1,
      expect.stringMatching(/no authority runs .*--authority https/),
    ]);
  });
});
