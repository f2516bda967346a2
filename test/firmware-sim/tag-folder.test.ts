import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { openFileFlash } from '../../firmware-sim/tag/flash-file.js';
import { TagDevice } from '../../firmware-sim/tag/tag-device.js';
import { openTagFolder } from '../../firmware-sim/tag/tag-folder.js';
import { newTagState } from '../../firmware-sim/tag/tag-state.js';
import type { TagState } from '../../firmware-sim/tag/tag-state.js';
import { fileTagStore } from '../../firmware-sim/tag/tag-store-file.js';
import { recordBytes } from '../contracts/flash-contract.js';
import { MIDNIGHT_MS, SETTINGS } from './samples.js';

const TODAY = MIDNIGHT_MS / 86_400_000;
const PLAINTEXT = new Uint8Array(40).fill(7);

/** The folder of a tag that delivered records 0 and 1 and is delivering record 2, without its encounter log. */
function folderWithoutFlash(): string {
  const path = mkdtempSync(join(tmpdir(), 'firebreak-tag-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  const secret = { day: TODAY, bytes: new Uint8Array(32) };
  const state = newTagState({ settings: SETTINGS, issuerPublicKey: new Uint8Array(32), secret });
  const outstanding = { seq: 1, day: TODAY, plaintext: PLAINTEXT, ids: [2] };
  state.chain = { nextSeq: 1, prev: new Uint8Array(32), outstanding, delivered: [0, 1] };
  fileTagStore(join(path, 'tag.json')).save(state);
  return path;
}

/** A start of the tag: what it goes by, how many records wait; then it stores so many more, and is killed. */
function started(path: string, more = 0): { chain: TagState['chain']; waiting: number } {
  const folder = openTagFolder(path, SETTINGS);
  const { state, flash, store, journal } = folder;
  if (state === undefined) throw new RangeError('there is no state');
  const device = new TagDevice({
    ...{ state, flash, store, journal, signerOf: fastSigner },
    random: (length) => new Uint8Array(length),
    counterMs: () => MIDNIGHT_MS,
  });
  device.restart();
  const { waiting } = device.status();
  flash.append(Array.from({ length: more }, (_, number) => recordBytes(number)));
  folder.close();
  return { chain: state.chain, waiting };
}

it('a new encounter log loses no record by what the tag remembers of the one before', () => {
  const path = folderWithoutFlash();
  const { chain } = started(path, 3);
  expect(chain).toMatchObject({ nextSeq: 1, delivered: [], outstanding: { seq: 1, ids: [] } });
  expect(chain.outstanding?.plaintext).toEqual(PLAINTEXT);
  expect(started(path)).toEqual({ chain, waiting: 3 });
});

it('nor when the power went just after it was made', () => {
  const path = folderWithoutFlash();
  openFileFlash(join(path, 'encounters.flash')).close();
  started(path, 2);
  expect(started(path).waiting).toBe(2);
});

it('an encounter log that is still the same is freed of what was delivered', () => {
  const path = folderWithoutFlash();
  const flash = openFileFlash(join(path, 'encounters.flash'));
  flash.append([0, 1, 2].map(recordBytes));
  flash.close();
  expect(started(path)).toMatchObject({
    chain: { delivered: [0, 1], outstanding: { ids: [2] } },
    waiting: 1,
  });
});

it('an encounter log of another size is refused, in words that say what may be done; that is possible', () => {
  const path = folderWithoutFlash();
  const file = join(path, 'encounters.flash');
  openFileFlash(file, 16).close();
  expect(() => openTagFolder(path, SETTINGS)).toThrow(/may be moved away.* not delivered is lost/);
  renameSync(file, join(path, 'moved away'));
  expect(started(path, 1).waiting).toBe(0);
});
