/** Which gateways an authority certifies, when, and what it says of those it does not. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { folderAt, gatewayFolder } from '../../cli/folder.js';
import type { GatewayFolder } from '../../cli/folder.js';
import { gatewayDesk } from '../../cli/gateway-desk.js';
import type { GatewayDesk } from '../../cli/gateway-desk.js';
import type { Authority } from '../../authority/authority.js';
import { toHex } from '../../protocol/bytes.js';
import { fastSigner } from '../../protocol/ed25519.js';
import { ENTRY_TYPE } from '../../protocol/entry.js';
import { decodeGatewayCertificate, verifyGatewayCertificate } from '../../protocol/gateway-certificate.js';
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

  it('that was revoked is certified as soon as it has a new key', async () => {
    await authority.revokeGateway(partyIdOf(keyOf('first')));
    await approve('second');
    await rounds(1);
    expect(await isGoodFor('second', TODAY)).toBe(true);
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
