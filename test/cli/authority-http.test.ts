/** The authority's two listeners: what a proxy may make public enrols nobody, and each has room of its own. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openAuthority } from '../../authority/authority.js';
import {
  auditByWire,
  enrolByWire,
  renewByWire,
  timeByWire,
} from '../../authority/credentials/enrolment-client.js';
import { dayKeyFiles } from '../../cli/days/day-key-files.js';
import { startAuthorityHttp, type AuthorityPorts } from '../../cli/parts/authority-http.js';
import { asTagNumber } from '../../protocol/brands.js';
import { silentLog, type Log } from '../../protocol/log.js';
import { AuditedTag, bookOn, deskOn } from '../authority/audited.js';
import { AskingTag, newAuthority, TODAY } from '../authority/fixture.js';
import { MemoryLog } from '../tracer/memory-log.js';
import { attempt } from './in-process.js';

async function listening(
  audit: (request: Uint8Array) => Promise<Uint8Array>,
  ports: AuthorityPorts = { httpPort: 0, enrolPort: 0 },
) {
  const { authority, world } = await newAuthority();
  const onClose = (close: () => Promise<unknown>) => onTestFinished(async () => void (await close()));
  return startAuthorityHttp(authority, audit, ports, { log: silentLog, clock: world.clock, onClose });
}

it('enrols at the desk alone, renews, audits and tells the time at both', async () => {
  const { publicUrl, deskUrl } = await listening(async (request) => request);
  const tag = new AskingTag('a');
  const request = tag.firstRequest(TODAY, 7);
  await expect(enrolByWire({ url: publicUrl }, request, asTagNumber(17))).rejects.toMatchObject({
    code: 'not-found',
  });
  const pack = tag.open(await enrolByWire({ url: deskUrl }, request, asTagNumber(17)));
  for (const url of [publicUrl, deskUrl]) {
    expect(new URL(url).hostname).toBe('127.0.0.1');
    const renewal = await renewByWire({ url }, tag.renewal(pack, TODAY, TODAY + 7, 1));
    expect(tag.open(renewal).days).toHaveLength(1);
    expect(await auditByWire({ url }, Uint8Array.of(3))).toEqual(Uint8Array.of(3));
    expect(await timeByWire({ url })).toBe(TODAY * 86_400_000);
  }
});

it('keeps nobody from the desk when all the public slots are taken', async () => {
  let release = (): void => {};
  const gate = new Promise<void>((resolve) => (release = resolve));
  const { publicUrl, deskUrl } = await listening((request) => gate.then(() => request));
  const crowd = Array.from({ length: 32 }, () => auditByWire({ url: publicUrl }, Uint8Array.of(1)));
  const late = (): Promise<unknown> =>
    renewByWire({ url: publicUrl }, Uint8Array.of(1)).catch((error: { code: string }) => error.code);
  while ((await late()) !== 'busy') await new Promise((resolve) => setTimeout(resolve, 10));
  const tag = new AskingTag('a');
  expect(tag.open(await enrolByWire({ url: deskUrl }, tag.firstRequest(TODAY, 1))).days).toHaveLength(1);
  release();
  expect(await Promise.all(crowd)).toHaveLength(32);
});

it('tells nobody from afar of a day key file that is open to others: its log does', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-keys-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const dayKeys = dayKeyFiles(dir);
  const { authority: before, world } = await newAuthority({ dayKeys });
  const tag = new AskingTag('a');
  const pack = tag.open(await before.enrol(tag.firstRequest(TODAY, 3), asTagNumber(17)));
  await before.close();
  await chmod(join(dir, `${TODAY + 2}.key`), 0o644);
  const authority = await openAuthority(world.deps);
  const { audit } = deskOn(bookOn(new MemoryLog()), { keysOf: () => dayKeys.get(TODAY + 2) });
  const said: string[] = [];
  const log: Log = { ...silentLog, error: (_message, fields) => void said.push(String(fields?.['why'])) };
  const onClose = (close: () => Promise<unknown>) => onTestFinished(async () => void (await close()));
  const ports = { httpPort: 0, enrolPort: 0 };
  const { deskUrl } = await startAuthorityHttp(authority, audit, ports, { log, clock: world.clock, onClose });
  const headers = { 'content-type': 'application/octet-stream' };
  for (const [path, body] of [
    ['enrol', new AskingTag('b').firstRequest(TODAY, 3)],
    ['renew', tag.renewal(pack, TODAY, TODAY + 2, 2)],
    ['audit', new AuditedTag(17).request()],
  ] as const) {
    const response = await fetch(`${deskUrl}/${path}`, { method: 'POST', headers, body });
    const text = await response.text();
    expect([path, response.status, text.includes(dir)]).toEqual([path, 500, false]);
    expect(said.splice(0)).toEqual([expect.stringContaining(`run chmod 600 ${dir}`)]);
  }
});

it('has a port for each, which the command says', async () => {
  const { text } = await attempt('authority', 'run', '--help');
  expect(text).toMatch(/--http-port <port> +port of renewals and audits/);
  expect(text).toMatch(/--enrol-port <port> +port of the desk that enrols/);
});
