/** Our witness, and a log that is not ours: Tessera's own example program, with its own client for witnesses. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLogView } from '../../ledger/readers/log-view.js';
import { proveGrowth } from '../../ledger/proofs/prove-growth.js';
import { readerOfFolder } from '../../ledger/readers/reader-folder.js';
import { parseForeignCheckpoint } from '../../protocol/tlog/checkpoint.js';
import { cosignedAt, parseCosignerKey } from '../../protocol/tlog/cosignature.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { noteSigner, noteSignerKey, noteVerifierKey, openNote } from '../../protocol/tlog/note.js';
import { parsePolicy } from '../../protocol/tlog/policy-file.js';
import { openWitnessedCheckpoint } from '../../protocol/tlog/witness-policy.js';
import { startFirebreak, type FirebreakProcess } from '../cli/firebreak-process.js';
import { attempt } from '../cli/in-process.js';
import { buildOnForky } from './go-forky.js';
import { startLitewitness, type Litewitness } from './litewitness.js';

const run = promisify(execFile);
const ORIGIN = 'tessera.example/log';
const SEED = Buffer.alloc(32, 6);
const signer = noteSigner(ORIGIN, fastSigner(SEED));
const VKEY = noteVerifierKey(ORIGIN, signer.publicKey);
const SIZES = [1, 2, 3, 7, 255, 256, 257, 600];
let workDir: string;
let program: string;
let witness: FirebreakProcess;
let litewitness: Litewitness;
let ourKey: string;
let url: string;
const inWork = (...names: string[]) => join(workDir, ...names);

beforeAll(async () => {
  workDir = await mkdtemp(join(tmpdir(), 'fb-tessera-')); // short: a socket is in it
  program = await buildOnForky('github.com/transparency-dev/tessera/cmd/examples/posix-oneshot', workDir);
  await attempt('witness', 'init', inWork('ours'), '--name', 'ombudsman.example/witness');
  await attempt('witness', 'trust', inWork('ours'), '--log', VKEY);
  ourKey = /public key (\S+)/.exec((await attempt('witness', 'show', inWork('ours'))).text)?.[1] ?? '';
  witness = startFirebreak(['witness', 'run', inWork('ours'), '--port', '0']);
  await witness.says('the witness is up');
  url = /http:\/\/127\.0\.0\.1:\d+/.exec(witness.stderr())?.[0] ?? '';
  litewitness = await startLitewitness(inWork('theirs'), 'litewitness.example/w1', [
    { origin: ORIGIN, vkey: VKEY },
  ]);
  await writeFile(inWork('key'), noteSignerKey(ORIGIN, SEED));
  await writeFile(
    inWork('policy'),
    `log ${VKEY}\nwitness ours ${ourKey} ${url}\nwitness theirs ${litewitness.vkey} ${litewitness.url}\n` +
      'group both all ours theirs\nquorum both\n',
  );
});

afterAll(async () => {
  await witness.kill();
  await litewitness.kill();
  await rm(workDir, { recursive: true, force: true });
});

/** Adds entries to the log in `folder`, and waits until it has published them; gives what the program said. */
async function grow(folder: string, count: number, view: string, isFailOpen = false): Promise<string> {
  const entries = inWork(`entries ${view}`);
  await mkdir(entries, { recursive: true });
  for (let i = 0; i < count; i += 1) await writeFile(join(entries, `${i}`), `${view} entry ${i}`);
  const flags = {
    storage_dir: folder,
    entries: join(entries, '*'),
    private_key: inWork('key'),
    witness_policy_file: inWork('policy'),
    witness_fail_open: isFailOpen,
  };
  const args = Object.entries(flags).map(([flag, value]) => `-${flag}=${value}`);
  const { stderr } = await run(program, args, { timeout: 60_000, maxBuffer: 16 * 1024 * 1024 });
  return stderr;
}

/** What its published checkpoint is of, and who cosigned it. */
async function published(folder: string) {
  const { text, unverified } = openNote(await readFile(join(folder, 'checkpoint')), [signer]);
  const keys = { ours: ourKey, theirs: litewitness.vkey };
  const by = Object.entries(keys)
    .filter(([, key]) => cosignedAt(text, unverified, parseCosignerKey(key)) !== undefined)
    .map(([name]) => name);
  return { size: parseForeignCheckpoint(text).size, by };
}

describe('a log on Tessera', () => {
  it('is cosigned by our witness, and by litewitness, as it grows', async () => {
    const folder = inWork('log');
    let before = 0;
    for (const size of SIZES) {
      await grow(folder, size - before, `to-${size}`);
      expect(await published(folder)).toEqual({ size, by: ['ours', 'theirs'] });
      expect((await attempt('witness', 'show', inWork('ours'))).text).toMatch(
        new RegExp(`: ${size} entr(y|ies) with`),
      );
      expect(await litewitness.cosignedSize(ORIGIN)).toBe(size);
      await cp(join(folder, 'checkpoint'), inWork(`${size}.checkpoint`));
      before = size;
    }
  });

  it('is read by ours: its checkpoints under the policy, and its tiles, which lead from each to the last', async () => {
    const policy = parsePolicy(await readFile(inWork('policy')));
    const view = await openLogView(readerOfFolder(inWork('log')), signer);
    for (const size of SIZES) {
      const older = await readFile(inWork(`${size}.checkpoint`), 'utf8');
      expect(openWitnessedCheckpoint(older, signer, policy).size).toBe(size);
      expect((await proveGrowth(view, signer, older)).newer.size).toBe(SIZES.at(-1));
    }
  });

  it.each([
    ['is as long', 5, 'says old root hash did not match previous for size 605: 409'],
    ['is longer', 9, 'says that the consistency proof is bad: 422'],
  ])('is not cosigned when a copy of it went another way and %s', async (_what, count, words) => {
    const [one, two] = [inWork(`first ${count}`), inWork(`second ${count}`)];
    const last = SIZES.at(-1) ?? 0;
    await cp(inWork('log'), one, { recursive: true });
    await cp(inWork('log'), two, { recursive: true });
    await grow(one, 5, 'first');
    const said = await grow(two, count, `second ${count}`, true);
    expect(said).toContain(`${url}/add-checkpoint" ${words}`);
    expect(await published(two)).toEqual({ size: last + count, by: [] });
    expect((await attempt('witness', 'show', inWork('ours'))).text).toContain(`${last + 5} entries`);
  });
});
