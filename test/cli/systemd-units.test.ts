/** The services of deploy/systemd say what `firebreak` understands, and bring a certificate whole or not at all. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it, onTestFinished } from 'vitest';
import { folderAt, gatewayFolder } from '../../cli/folder/folder.js';
import { buildProgram } from '../../cli/program.js';
import { toHex } from '../../protocol/bytes.js';
import { encodeGatewayCertificate } from '../../protocol/session/gateway-certificate.js';
import { PROJECT_ROOT } from './firebreak-process.js';

const DIR = join(PROJECT_ROOT, 'deploy/systemd');
const PARTIES = ['firebreak-gateway@.service', 'firebreak-tag@.service'];
const COURIER = 'firebreak-certificate@.service';

/** The words after `main.js` in ExecStart. */
async function commandOf(unit: string): Promise<readonly string[]> {
  const text = await readFile(join(DIR, unit), 'utf8');
  const [, words] = /^ExecStart=\S+node \S+\/dist\/cli\/main\.js (.+)$/m.exec(text) ?? [];
  return words?.split(' ') ?? [];
}

function subcommand(words: readonly string[]): Command | undefined {
  return words
    .slice(0, 2)
    .reduce<Command | undefined>(
      (command, word) => command?.commands.find((one) => one.name() === word),
      buildProgram(),
    );
}

describe('the systemd units', () => {
  it('are of a gateway, its certificate and a tag', async () => {
    const timer = COURIER.replace('.service', '.timer');
    expect((await readdir(DIR)).sort()).toEqual([COURIER, timer, ...PARTIES]);
  });

  it.each(PARTIES)('%s starts a command with options that it has, and all that it needs', async (unit) => {
    const words = await commandOf(unit);
    const options = subcommand(words)?.options ?? [];
    const given = words.filter((word) => word.startsWith('--'));
    const known = options.map(({ long }) => long);
    expect(given.length).toBeGreaterThan(3);
    expect(known).toEqual(expect.arrayContaining(given));
    expect(given).toContain('--ble-stack');
    const needed = options.filter(({ mandatory, defaultValue }) => mandatory && defaultValue === undefined);
    expect(given).toEqual(expect.arrayContaining(needed.map(({ long }) => long)));
  });

  it.each(PARTIES)('%s names each variable of its environment file', async (unit) => {
    const text = await readFile(join(DIR, unit), 'utf8');
    const used = [...text.matchAll(/\$\{([A-Z_]+)\}/g)].map(([, name]) => name);
    const said = [...text.matchAll(/^# .*$/gm)].join(' ');
    expect(used.length).toBe(unit.includes('tag') ? 4 : 3);
    for (const name of used) expect(said).toContain(`${name}=`);
  });

  it.each(PARTIES)('%s starts whatever becomes of what prepares the adapters', async (unit) => {
    const text = await readFile(join(DIR, unit), 'utf8');
    const prefixes = [...text.matchAll(/^ExecStartPre=([^/]*)/gm)].map(([, prefix]) => prefix);
    expect(prefixes).toEqual(['-+', '-+']);
  });

  it('let a host without a clock of its own hold its gateway back until the network has set the time', async () => {
    const text = await readFile(join(DIR, 'firebreak-gateway@.service'), 'utf8');
    expect(text).toMatch(/^After=time-sync\.target$/m);
    expect(text).not.toMatch(/^(Wants|Requires)=.*network-online/m);
  });
});

/** The units of the folder, and those that pages give. */
async function allUnits(): Promise<(readonly [string, string])[]> {
  const names = ['docs/witnesses.md', ...(await readdir(DIR)).map((name) => `deploy/systemd/${name}`)];
  return Promise.all(
    names.map(async (name) => [name, await readFile(join(PROJECT_ROOT, name), 'utf8')] as const),
  );
}

it('a unit that starts again after each end waits before it does, or systemd gives it up after five in ten seconds', async () => {
  const units = (await allUnits()).filter(([, text]) => /^ *Restart=always$/m.test(text));
  expect(units.map(([name]) => name)).toEqual(expect.arrayContaining(['docs/witnesses.md']));
  expect(units.length).toBe(1 + PARTIES.length);
  for (const [name, text] of units) expect(text, name).toMatch(/^ *RestartSec=5$/m);
});

const OWN_KEY = Uint8Array.from({ length: 32 }, (_, i) => 7 * i);

/** As the protocol lays it out, with zeros for what the steps do not look at. */
const certificateOf = (gatewayPublicKey: Uint8Array): Uint8Array =>
  encodeGatewayCertificate({
    ...{ issuerId: new Uint8Array(4), gatewayPublicKey, fromDay: 20_000, toDay: 20_006 },
    signature: new Uint8Array(64),
  });

describe('the unit that brings a gateway its certificate', async () => {
  const text = await readFile(join(DIR, COURIER), 'utf8');

  /** Its steps one after the other until one fails, as systemd does, with this script for ssh. Whether all succeeded. */
  async function runSteps(dir: string, ssh: string, place = 'firebreak@authority.example.org') {
    const script = join(dir, 'ssh');
    await writeFile(script, `#!/bin/sh\n${ssh}\n`, { mode: 0o700 });
    const steps = [...text.matchAll(/^ExecStart=(.+)$/gm)].map(([, step = '']) =>
      step.replaceAll('$$', () => '$').replace('/usr/bin/ssh', () => script),
    );
    expect(steps.length).toBeGreaterThan(1);
    const env = { ...process.env, CERTIFICATE: place };
    return steps.every((step) => spawnSync('/bin/sh', ['-c', step], { cwd: dir, env }).status === 0);
  }

  const gatewaysFolder = async (): Promise<string> => {
    const dir = await mkdtemp(join(tmpdir(), 'firebreak-certificate-'));
    onTestFinished(() => rm(dir, { recursive: true }));
    await writeFile(join(dir, 'certificate'), 'the old one');
    await writeFile(join(dir, 'gateway.pub'), `${toHex(OWN_KEY)}\n`);
    return dir;
  };
  const kept = (dir: string) => readFile(join(dir, 'certificate'), 'latin1');
  const printing = (bytes: Uint8Array): string =>
    `printf '${Array.from(bytes, (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')}'`;
  const whole = printing(certificateOf(OWN_KEY));

  it('works where the gateway looks for it', () => {
    const { dir } = gatewayFolder(folderAt('/var/lib/firebreak'), '%i');
    expect(text).toContain(`\nWorkingDirectory=${dir}\n`);
    expect(text).toMatch(/^TimeoutStartSec=\d+$/m);
  });

  it('puts a whole one in its place', async () => {
    const dir = await gatewaysFolder();
    const asked = `test "$6" = firebreak@authority.example.org`;
    expect(await runSteps(dir, `${asked} && ${whole}`)).toBe(true);
    expect(await kept(dir)).toBe(Buffer.from(certificateOf(OWN_KEY)).toString('latin1'));
    expect((await readdir(dir)).sort()).toEqual(['certificate', 'gateway.pub', 'ssh']);
  });

  it.each([
    ['cannot be reached', 'exit 255'],
    ['is lost on the way', `${whole}; exit 255`],
    ['sends a part', 'printf half'],
    ['sends more', `${whole}; ${whole}`],
    ['sends another gateway’s', printing(certificateOf(new Uint8Array(32).fill(9)))],
  ])('leaves the old one when the authority %s', async (_what, ssh) => {
    const dir = await gatewaysFolder();
    expect(await runSteps(dir, ssh)).toBe(false);
    expect(await kept(dir)).toBe('the old one');
  });

  it('leaves the old one where the gateway has made no key', async () => {
    const dir = await gatewaysFolder();
    await rm(join(dir, 'gateway.pub'));
    expect(await runSteps(dir, whole)).toBe(false);
    expect(await kept(dir)).toBe('the old one');
  });

  it('leaves the old one when it is not told where the authority is', async () => {
    const dir = await gatewaysFolder();
    expect(await runSteps(dir, whole, '')).toBe(false);
    expect(await kept(dir)).toBe('the old one');
  });
});

it('hardware.md says how a certificate comes to a gateway on a machine of its own', async () => {
  const text = await readFile(join(PROJECT_ROOT, 'docs/hardware.md'), 'utf8');
  for (const words of [
    'gateways/hub-1/certificate',
    'gateway.pub',
    'firebreak-certificate@hub-1.timer',
    'BLE_STACK',
    'IdentityFile',
  ])
    expect(text).toContain(words);
});

describe('the steps of hardware.md that install a service', async () => {
  const text = await readFile(join(PROJECT_ROOT, 'docs/hardware.md'), 'utf8');
  const steps = /^As services, .*\n\n((?: {4}.*\n)+)/m.exec(text)?.[1] ?? '';

  it.each([
    ['install what the units call', / apt install .*\bbluez\b.*\brfkill\b/],
    ['bring firebreak.json', / install .*firebreak\.json \/var\/lib\/firebreak\/firebreak\.json/],
    ['turn bluetoothd off', / systemctl disable --now bluetooth\b/],
  ])('%s before they start it', (_what, step) => {
    const at = steps.search(step);
    expect(at).toBeGreaterThan(-1);
    expect(at).toBeLessThan(steps.indexOf('systemctl enable --now firebreak-gateway@'));
  });
});
