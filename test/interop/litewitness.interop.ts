/** Our ledger, and a witness that is not ours: litewitness. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeAddCheckpoint, TLOG_SIZE_TYPE } from '../../protocol/tlog/add-checkpoint.js';
import { cosignedAt, formatCosignerKey } from '../../protocol/tlog/cosignature.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { noteSigner, noteVerifierKey, readNote } from '../../protocol/tlog/note.js';
import { openWitnessedCheckpoint } from '../../protocol/tlog/witness-policy.js';
import { logSigner, ORIGIN } from '../ledger/deployment.js';
import {
  cosignersOf,
  hasPublished,
  policyOf,
  publishedSize,
  says,
  startLedger,
  submit,
  witnessNamed,
} from '../ledger/witnessed-ledger.js';
import { logSigner as viewsSigner, logView, manyLogs } from '../witness/log-views.js';
import { startWitness } from '../witness/running-witness.js';
import { startLitewitness, type Litewitness, type TrustedKey } from './litewitness.js';

const NAME = 'litewitness.example/w1';
const keyOf = ({ name, publicKey }: typeof logSigner): TrustedKey => ({
  origin: name,
  vkey: noteVerifierKey(name, publicKey),
});
let workDir: string;
const running: Litewitness[] = [];

beforeAll(async () => {
  workDir = await mkdtemp(join(tmpdir(), 'fb-lite-')); // short: the agent's socket is in it
});

afterAll(async () => {
  for (const witness of running) await witness.kill();
  await rm(workDir, { recursive: true, force: true });
});

async function litewitness(folder: string, logs?: readonly TrustedKey[]): Promise<Litewitness> {
  const witness = await startLitewitness(join(workDir, folder), NAME, logs);
  running.push(witness);
  return witness;
}

describe('a ledger whose witness is litewitness', () => {
  it('is cosigned as it grows, over tile edges, and publishes each', async () => {
    const witness = await litewitness('growing', [keyOf(logSigner)]);
    expect(formatCosignerKey(witness.cosigner)).toBe(witness.vkey);
    const policy = policyOf(1, [witness]);
    const ledger = await startLedger(join(workDir, 'growing-ledger'), policy);
    let size = 0;
    for (const [seq, count] of [1, 1, 253, 1, 1, 200, 256].entries()) {
      await submit(ledger, seq, count);
      size += count;
      await hasPublished(ledger, size);
      expect(await witness.cosignedSize(ORIGIN)).toBe(size);
    }
    const note = await ledger.reader().checkpoint();
    expect(openWitnessedCheckpoint(note, logSigner, policy).size).toBe(713);
    const { text, signatures } = readNote(note);
    const atSeconds = cosignedAt(text, signatures, witness.cosigner) ?? 0;
    expect(Math.abs(Date.now() / 1000 - atSeconds)).toBeLessThan(60);
  });

  it('is published only when litewitness and a witness of ours both cosigned', async () => {
    const theirs = await litewitness('both', [keyOf(logSigner)]);
    const ours = await witnessNamed('ours');
    const policy = policyOf(2, [theirs, ours]);
    const ledger = await startLedger(join(workDir, 'both-ledger'), policy);
    await submit(ledger, 0, 200);
    await hasPublished(ledger, 200);
    expect(await cosignersOf(ledger, policy)).toEqual([NAME, 'ours'].sort());
    await theirs.kill();
    await submit(ledger, 1, 5);
    await says(ledger, NAME, 'cannot be reached');
    expect(await publishedSize(ledger)).toBe(200);
    await ledger.close();

    const again = await litewitness('both'); // with the key and the memory it had
    expect(again.vkey).toBe(theirs.vkey);
    const resumed = await startLedger(join(workDir, 'both-ledger'), policyOf(2, [again, ours]));
    await hasPublished(resumed, 205);
  });

  it('is told that litewitness does not know it, or not its key', async () => {
    const other = noteSigner(ORIGIN, fastSigner(Buffer.alloc(32, 9)));
    const stranger = await litewitness('stranger');
    const mistaken = await litewitness('mistaken', [keyOf(other)]);
    const policy = policyOf(1, [stranger, { ...mistaken, name: 'mistaken' }]);
    const ledger = await startLedger(join(workDir, 'unknown-ledger'), policy);
    await submit(ledger, 0);
    await says(ledger, NAME, 'does not know this log');
    await says(ledger, 'mistaken', 'does not know the key of this log');
    expect(await publishedSize(ledger)).toBe(0);
  });

  it.each([
    ['set back', 2, 'it was set back, or another ledger runs'],
    ['forked at the same size', 3, 'it was forked'],
    ['forked and longer', 9, 'it was forked'],
  ])('is refused when it was %s', async (what, entries, words) => {
    const folder = what.replaceAll(' ', '-');
    const witness = await litewitness(folder, [keyOf(logSigner)]);
    const policy = policyOf(1, [witness]);
    const [one, two] = [join(workDir, `${folder}-one`), join(workDir, `${folder}-two`)];
    const before = await startLedger(one, policy);
    await submit(before, 0, 5);
    await hasPublished(before, 5);
    await before.close();
    await cp(one, two, { recursive: true });
    const first = await startLedger(one, policy);
    await submit(first, 1, 3, 'first ');
    await hasPublished(first, 8);

    const second = await startLedger(two, policy);
    await submit(second, 1, entries, 'second ');
    await says(second, NAME, words);
    expect(await publishedSize(second)).toBe(5);
    expect(await witness.cosignedSize(ORIGIN)).toBe(8);
    await submit(first, 2, 1, 'first ');
    await hasPublished(first, 9);
  });
});

describe('litewitness and a witness of ours', () => {
  const honest = logView('honest', 100);
  const forked = logView('forked', 100);
  const [unknown] = manyLogs;
  const impostor = noteSigner(viewsSigner.name, fastSigner(Buffer.alloc(32, 3)));
  const none = new Uint8Array(32);
  const unproved = (oldSize: number, newSize: number, proof: readonly Uint8Array[]) =>
    encodeAddCheckpoint({ oldSize, proof, checkpoint: honest.note(newSize) });

  /** In this order, to two that know the log and have cosigned nothing: what both answer, or the two that differ. */
  const conversation: readonly [string, string | Promise<string>, number, number?][] = [
    ['something else', 'hello\n\n', 400],
    ['no old size', `\n\n${honest.note(3)}`, 400],
    ['a log that neither knows', honest.request(0, 3, unknown), 404],
    ['the log, signed by another', honest.request(0, 3, impostor), 403],
    ['a first checkpoint with an old size', honest.request(2, 3), 409],
    ['an empty log', honest.request(0, 0), 200],
    ['its first entries', honest.request(0, 7), 200],
    ['the same again', honest.request(7, 7), 200],
    ['no old size any more', honest.request(0, 20), 409],
    ['a smaller log', honest.request(7, 6), 400],
    ['a smaller log that says so', honest.request(6, 6), 409],
    ['no proof', unproved(7, 20, []), 422],
    ['a proof of something else', unproved(7, 20, [none, none, none]), 422],
    [
      '64 hashes',
      unproved(
        7,
        20,
        Array.from({ length: 64 }, () => none),
      ),
      400,
    ],
    ['more entries', honest.request(7, 255), 200],
    ['over a tile edge', honest.request(255, 600), 200],
    ['another log of that name, larger', forked.request(550, 600), 409],
    ['another log of that name, as large', forked.request(600, 600), 409, 422],
  ];

  it('answer alike, but for a fork at the very size, for which C2SP asks for 409', async () => {
    const theirs = await litewitness('alike', [keyOf(viewsSigner)]);
    const ours = await startWitness('w1');
    for (const [what, body, status, otherStatus = status] of conversation) {
      const answers = [await ours.post(await body), await theirs.post(await body)];
      expect([what, ...answers.map((answer) => answer.status)]).toEqual([what, status, otherStatus]);
      const [one, other] = await Promise.all(answers.map(sizeIn));
      if (status === otherStatus) expect([what, one]).toEqual([what, other]);
    }
    expect(await theirs.cosignedSize(viewsSigner.name)).toBe(600);
  });

  /** What a 409 says, unless it is about a fork; nothing in other answers. */
  async function sizeIn(answer: Response): Promise<string | undefined> {
    const isSize = answer.headers.get('content-type') === TLOG_SIZE_TYPE;
    expect(isSize).toBe(answer.status === 409 && (await answer.clone().text()).length < 10);
    return isSize ? answer.text() : undefined;
  }
});
