import { describe, expect, it } from 'vitest';
import { openMemoryFlash } from '../../firmware-sim/tag/flash-memory.js';
import { closeRecord, openRecord } from '../../firmware-sim/tag/open-record.js';
import { noSampleJournal } from '../../firmware-sim/tag/sample-journal.js';
import { TagEffects } from '../../firmware-sim/tag/tag-effects.js';
import { decodeSavedTag } from '../../firmware-sim/tag/saved-tag.js';
import { asUnixMs } from '../../protocol/brands.js';
import { openHello } from '../../protocol/session/hello.js';
import { sampleAt, SETTINGS } from './samples.js';
import { testAuthority } from './test-authority.js';
import { testGateway } from './test-gateway.js';
import { restarted, testTag } from './test-tag.js';
import type { TestTag } from './test-tag.js';

const EPOCH_MS = 900_000;
const authority = testAuthority();
const NO_ROOM = 'ENOSPC';

const RECEIPT = {
  gatewayId: new Uint8Array(16),
  reportHash: new Uint8Array(32).fill(7),
  receivedAtMs: asUnixMs(0),
  refusal: undefined,
};

/** A tag that has closed a record with peer 1, and the hello of a gateway. */
async function withRecord() {
  const tag = await testTag(authority);
  close(tag, 1);
  const gateway = testGateway(authority, () => tag.nowMs);
  const hello = () => openHello(gateway.hello(), authority.issuer.publicKey);
  return { tag, hello };
}

function close(tag: TestTag, peer: number): void {
  tag.hear(peer);
  tag.nowMs = (Math.floor(tag.nowMs / EPOCH_MS) + 1) * EPOCH_MS + 120_000;
  tag.device.tick();
}

const outstanding = (tag: TestTag) => decodeSavedTag(tag.saved.at(-1) ?? '', SETTINGS).chain.outstanding;

describe('a report whose state could not be saved', () => {
  it('leaves in no later session before it is on disk, and is the same after a kill', async () => {
    const { tag, hello } = await withRecord();
    tag.full.store = true;
    for (let session = 0; session < 3; session += 1)
      expect(() => tag.device.nextReport(hello())).toThrow(NO_ROOM);
    expect(outstanding(tag)).toBeUndefined();
    tag.full.store = false;
    const report = tag.device.nextReport(hello());
    const { plaintext } = authority.open(report ?? new Uint8Array(0));
    expect(outstanding(tag)?.plaintext).toEqual(tag.state.chain.outstanding?.plaintext);
    close(tag, 2);
    const again = restarted(tag).device.nextReport(hello());
    expect(authority.open(again ?? new Uint8Array(0)).plaintext).toEqual(plaintext);
  });

  it('is not forgotten in flash before the receipt is on disk, and is not sent twice after', async () => {
    const { tag, hello } = await withRecord();
    tag.device.nextReport(hello());
    tag.full.store = true;
    expect(() => tag.device.settle(RECEIPT)).toThrow(NO_ROOM);
    expect(tag.flash.stored).toBe(1);
    expect(() => tag.device.nextReport(hello())).toThrow(NO_ROOM);
    tag.full.store = false;
    expect(tag.device.nextReport(hello())).toBeUndefined();
    expect(tag.flash.stored).toBe(0);
  });
});

describe('when the disk takes nothing', () => {
  it('records wait, and are in flash once each as soon as it takes them', async () => {
    const tag = await testTag(authority);
    tag.full.flash = true;
    for (const peer of [1, 2]) expect(() => close(tag, peer)).toThrow(NO_ROOM);
    expect(tag.device.status()).toMatchObject({ waiting: 0, isDiskFailing: true });
    tag.full.flash = false;
    tag.device.tick();
    expect(tag.device.status()).toMatchObject({ waiting: 2, isDiskFailing: false });
    tag.device.tick();
    expect(tag.flash.stored).toBe(2);
  });

  it('an ID whose records could not be stored still leaves the air with its epoch', async () => {
    const tag = await testTag(authority);
    tag.hear(1);
    const before = tag.device.onAir;
    tag.full.flash = true;
    tag.nowMs = (Math.floor(tag.nowMs / EPOCH_MS) + 1) * EPOCH_MS + 120_000;
    expect(() => tag.device.tick()).toThrow(NO_ROOM);
    expect(tag.device.onAir?.epoch).toBe((before?.epoch ?? 0) + 1);
    expect(tag.adverts.at(-1)?.address).not.toBe(before?.address);
  });

  it('at midnight the old ID leaves the air, and the next one comes when the new secret is on disk', async () => {
    const tag = await testTag(authority);
    const before = tag.device.onAir;
    tag.full.store = true;
    tag.nowMs = (Math.floor(tag.nowMs / 86_400_000) + 1) * 86_400_000;
    expect(() => tag.device.tick()).toThrow(NO_ROOM);
    expect(tag.adverts.at(-1)).toBeUndefined();
    expect(tag.device.status()).toMatchObject({ isOnAir: false, isDiskFailing: true });
    tag.full.store = false;
    tag.device.tick();
    expect(tag.device.onAir?.epoch).toBe(tag.nowMs / EPOCH_MS);
    expect(tag.device.onAir?.address).not.toBe(before?.address);
  });
});

describe('a disk that is failing for long', () => {
  /** Whose parts fail as told, and which stores one record an epoch. */
  async function failing() {
    const fails = { flash: false, store: true, forget: true, forgetFirst: false };
    const requireWorking = (part: keyof typeof fails): void => {
      if (fails[part]) throw new Error(NO_ROOM);
    };
    const flash = openMemoryFlash();
    const append = flash.append.bind(flash);
    flash.append = (records) => {
      requireWorking('flash');
      append(records);
    };
    const forgotten: number[] = [];
    const forget = (epoch: number): void => {
      requireWorking(epoch === 0 && fails.forgetFirst ? 'forgetFirst' : 'forget');
      forgotten.push(epoch);
    };
    const store = { save: () => requireWorking('store') };
    const { state } = await testTag(authority);
    const effects = new TagEffects({ state, flash, store, journal: { ...noSampleJournal, forget } });
    const closed = (epoch: number) => {
      const record = closeRecord(openRecord(sampleAt(epoch * EPOCH_MS), SETTINGS), SETTINGS);
      return [{ type: 'store', records: [record], epochs: [epoch] }, { type: 'save' }] as const;
    };
    const closeEpochs = (count: number) => {
      for (let epoch = 0; epoch < count; epoch += 1)
        expect(() => effects.carryOut(closed(epoch))).toThrow(NO_ROOM);
    };
    return { fails, flash, forgotten, effects, closeEpochs };
  }

  it('has every record in flash that flash takes, whatever else is owed, and its notes removed when that is possible', async () => {
    const { fails, flash, forgotten, effects, closeEpochs } = await failing();
    closeEpochs(200);
    expect(flash.stored).toBe(200);
    Object.assign(fails, { store: false, forget: false });
    effects.settle();
    expect(forgotten).toEqual(Array.from({ length: 200 }, (_, epoch) => epoch));
    expect([flash.stored, effects.isOwing]).toEqual([200, false]);
  });

  it('owes the notes of 256 epochs and the records of 64 at most, the newest', async () => {
    const { fails, flash, forgotten, effects, closeEpochs } = await failing();
    closeEpochs(262);
    fails.flash = true;
    closeEpochs(70);
    Object.assign(fails, { flash: false, store: false, forget: false });
    effects.settle();
    expect(flash.stored).toBe(262 + 64);
    const from6 = (count: number) => Array.from({ length: count }, (_, k) => k + 6);
    expect(forgotten).toEqual([...from6(256), ...from6(64)]);
    expect(effects.isOwing).toBe(false);
  });

  it('removes the notes of one epoch though those of another stay', async () => {
    const { fails, forgotten, effects, closeEpochs } = await failing();
    closeEpochs(3);
    Object.assign(fails, { store: false, forget: false, forgetFirst: true });
    expect(() => effects.settle()).toThrow(NO_ROOM);
    expect(forgotten).toEqual([1, 2]);
  });
});
