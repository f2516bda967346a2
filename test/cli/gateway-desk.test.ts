/** Which gateways an authority certifies, when, and what it says of those it does not. */
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { folderAt, gatewayFolder } from '../../cli/folder/folder.js';
import type { GatewayFolder } from '../../cli/folder/folder.js';
import { gatewayDesk } from '../../cli/orders/gateway-desk.js';
import type { GatewayDesk } from '../../cli/orders/gateway-desk.js';
import type { Authority } from '../../authority/authority.js';
import { toHex } from '../../protocol/bytes.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import {
  decodeGatewayCertificate,
  verifyGatewayCertificate,
} from '../../protocol/session/gateway-certificate.js';
import { partyIdOf } from '../../protocol/keys.js';
import { issuer, newAuthority, secretOf, TODAY } from '../authority/fixture.js';
import type { World } from '../authority/fixture.js';

const MINUTE_MS = 60_000;
const keyOf = (name: string) => fastSigner(secretOf(name)).publicKey;

let authority: Authority;
let world: World;
let desk: GatewayDesk;
let hub: GatewayFolder;
let wallMs: number;

beforeEach(async () => {
  const folder = folderAt(await mkdtemp(join(tmpdir(), 'firebreak-desk-')));
  onTestFinished(() => rm(folder.dir, { recursive: true }));
  ({ authority, world } = await newAuthority());
  wallMs = 0;
  const { clock } = world;
  const { log } = world.deps;
  const issuerPublicKey = issuer.publicKey;
  desk = gatewayDesk({ folder, authority, issuerPublicKey, clock, log, wallMs: () => wallMs });
  hub = gatewayFolder(folder, 'hub-1');
  await mkdir(hub.dir, { recursive: true });
  await approve('first');
  await desk.round();
  forgetTheRest();
});

const approve = (name: string) => writeFile(hub.publicKey, `${toHex(keyOf(name))}\n`);
const held = async () => decodeGatewayCertificate(await readFile(hub.certificate));
/** What the desk said, without what the authority did. */
const said = () =>
  world.logged.map(({ message }) => message).filter((message) => message !== 'gateway certified');
const enrolled = () => world.posted.filter(({ type }) => type === ENTRY_TYPE.gateway).length;
const isGoodFor = async (name: string, day: number) =>
  toHex((await held()).gatewayPublicKey) === toHex(keyOf(name)) &&
  verifyGatewayCertificate(issuer.publicKey, await held(), day);

function forgetTheRest(): void {
  world.logged.length = 0;
  world.posted.length = 0;
}

async function rounds(count: number): Promise<void> {
  for (let round = 0; round < count; round++) {
    await desk.round();
    wallMs += 500;
  }
}

describe('a gateway', () => {
  it('is certified once its key is there, and again when two days are left', async () => {
    expect(await isGoodFor('first', TODAY)).toBe(true);
    world.clock.set(TODAY + 4);
    await rounds(4);
    expect(enrolled()).toBe(0);
    world.clock.set(TODAY + 5);
    wallMs += MINUTE_MS;
    await rounds(4);
    expect(enrolled()).toBe(1);
    expect(await isGoodFor('first', TODAY + 11)).toBe(true);
  });

  it('that was revoked is certified as soon as it has a new key, and nothing is said against it', async () => {
    await authority.revokeGateway(partyIdOf(keyOf('first')));
    await approve('second');
    forgetTheRest();
    await rounds(1);
    expect(await isGoodFor('second', TODAY)).toBe(true);
    expect(said()).toEqual(['certified a gateway for seven days']);
  });

  it('whose name another has that was not revoked is certified, and what that does is said once', async () => {
    await approve('second');
    await rounds(200);
    expect(await isGoodFor('second', TODAY)).toBe(true);
    expect(said()).toEqual([
      'certified a gateway for seven days',
      expect.stringContaining('another gateway had this name, and its certificate still holds'),
    ]);
    const before = toHex(partyIdOf(keyOf('first')));
    expect(world.logged.at(-1)).toMatchObject({ level: 'warn', fields: { gateway: 'hub-1', before } });
  });

  it('whose name another had, whose certificate ended, takes nothing from it', async () => {
    world.clock.set(TODAY + 7);
    await approve('second');
    await rm(hub.certificate);
    await writeFile(hub.certificate, await authority.addGateway(keyOf('first'), 'hub-1', TODAY));
    forgetTheRest();
    await rounds(1);
    expect(said().slice(0, 1)).toEqual(['certified a gateway for seven days']);
    expect(said().filter((message) => message.includes('had this name'))).toEqual([]);
  });

  it('whose key was revoked is spoken of once, until it has another', async () => {
    await authority.revokeGateway(partyIdOf(keyOf('first')));
    await rm(hub.certificate);
    forgetTheRest();
    wallMs += MINUTE_MS;
    await rounds(400);
    expect(said()).toEqual(['a gateway is not certified; trying again each minute']);
    expect(world.logged[0]?.fields?.['why']).toContain('was revoked; give it a new key');
    await approve('second');
    await rounds(1);
    expect(said().slice(1)).toEqual(['certified a gateway for seven days']);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['is missing', () => rm(hub.certificate)],
    ['is empty', () => writeFile(hub.certificate, '')],
    ['is cut short', async () => writeFile(hub.certificate, (await readFile(hub.certificate)).subarray(0, 60))],
    ['has a wrong bit', async () => writeFile(hub.certificate, (await readFile(hub.certificate)).map((byte, at) => (at === 80 ? byte ^ 1 : byte)))],
    ['is of days to come', async () => world.clock.set(TODAY - 3)],
  ])('whose certificate %s gets another', async (_what, spoil) => {
    wallMs += MINUTE_MS;
    await spoil();
    await rounds(3);
    expect(await isGoodFor('first', Math.floor(world.clock.nowMs() / 86_400_000))).toBe(true);
    expect(enrolled()).toBe(1);
  }); // prettier-ignore

  it('whose certificate cannot be written is not enrolled in the ledger twice a second', async () => {
    wallMs += MINUTE_MS;
    await rm(hub.certificate);
    await mkdir(join(hub.certificate, 'in-the-way'), { recursive: true });
    await rounds(130);
    expect(enrolled()).toBe(2);
    expect(said()).toHaveLength(1);
  });
});

describe('a gateway of which only the log told', () => {
  it('gets the name of the folder whose gateway.pub has its key', async () => {
    const digits = toHex(partyIdOf(keyOf('second'))).slice(0, 8);
    await authority.revokeGateway(partyIdOf(keyOf('first')));
    await approve('second');
    await writeFile(hub.certificate, await authority.addGateway(keyOf('second'), digits));
    forgetTheRest();
    wallMs += MINUTE_MS;
    await rounds(1);
    const names = (await authority.gateways()).map(({ publicKey, name }) => [publicKey, name]);
    expect(Object.fromEntries(names)).toMatchObject({ [toHex(keyOf('second'))]: 'hub-1' });
    expect(enrolled()).toBe(0);
  });
});

describe('a certified gateway whose approval the folder lacks', () => {
  const id = toHex(partyIdOf(keyOf('first')));
  const unapproved = () => world.logged.filter(({ message }) => message.includes('no gateway.pub of it'));
  /** All rounds of a day that could say something. */
  async function dayOf(day: number): Promise<void> {
    world.clock.set(day);
    for (let minute = 0; minute < 3; minute++) {
      await rounds(2);
      wallMs += MINUTE_MS;
    }
  }

  it('is spoken of once, as soon as its certificate would be renewed', async () => {
    await rm(hub.dir, { recursive: true });
    await dayOf(TODAY + 4);
    expect(unapproved()).toEqual([]);
    await dayOf(TODAY + 5);
    await dayOf(TODAY + 6);
    expect(unapproved()).toMatchObject([
      { level: 'warn', fields: { gateway: 'hub-1', id, lastDay: '2024-10-10' } },
    ]);
    await mkdir(hub.dir);
    await approve('first');
    await dayOf(TODAY + 6);
    expect(await isGoodFor('first', TODAY + 12)).toBe(true);
    await rm(hub.dir, { recursive: true });
    await dayOf(TODAY + 11);
    expect(unapproved()).toHaveLength(2);
  });

  it('is spoken of too where nobody was there while its certificate ended, and not for ever', async () => {
    await rm(hub.dir, { recursive: true });
    await dayOf(TODAY + 14);
    expect(unapproved()).toEqual([]);
    await dayOf(TODAY + 13);
    expect(unapproved()).toHaveLength(1);
  });

  it('is not spoken of once it is revoked', async () => {
    await rm(hub.dir, { recursive: true });
    await authority.revokeGateway(partyIdOf(keyOf('first')));
    await dayOf(TODAY + 5);
    expect(unapproved()).toEqual([]);
  });

  it('is one that is approved under any name, and none whose approval cannot be read', async () => {
    await rename(hub.dir, `${hub.dir}-elsewhere`);
    await dayOf(TODAY + 5);
    expect(unapproved()).toEqual([]);
    await writeFile(join(`${hub.dir}-elsewhere`, 'gateway.pub'), 'spoilt');
    await dayOf(TODAY + 11);
    expect(unapproved()).toHaveLength(1);
  });
});
