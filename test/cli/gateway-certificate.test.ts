/** The certificate in a gateway's folder while the gateway runs. */
import { mkdir, mkdtemp, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { keepCertificate } from '../../cli/folder/gateway-certificate.js';
import { folderAt, gatewayFolder } from '../../cli/folder/folder.js';
import { silentLog } from '../../protocol/log.js';

async function folderWith(certificate: string) {
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-certificate-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const own = gatewayFolder(folderAt(dir), 'hub-1');
  await mkdir(dirname(own.certificate), { recursive: true });
  await writeFile(own.certificate, certificate);
  const warnings: unknown[] = [];
  const log = { ...silentLog, warn: (_: string, fields: unknown) => void warnings.push(fields) };
  return { own, warnings, session: { log, signal: new AbortController().signal } };
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

it('is kept while the one in its place cannot be read, which is said once, until one can', async () => {
  const { own, session, warnings } = await folderWith('the first');
  const kept = await keepCertificate(own, session);
  await rm(own.certificate);
  await kept.look();
  expect([text(kept.current()), kept.whyUnread(), warnings]).toEqual(['the first', undefined, []]);
  await mkdir(own.certificate);
  for (let looks = 0; looks < 3; looks += 1) await kept.look();
  expect(text(kept.current())).toBe('the first');
  expect(kept.whyUnread()).toContain(`${own.certificate} is there, but cannot be read (EISDIR`);
  expect(warnings).toEqual([{ why: kept.whyUnread() }]);
  await rmdir(own.certificate);
  await writeFile(own.certificate, 'the second');
  await kept.look();
  expect([text(kept.current()), kept.whyUnread()]).toEqual(['the second', undefined]);
});

it('that is none is left for the gateway to judge, at its start as later', async () => {
  const { own, session } = await folderWith('no certificate');
  expect(text((await keepCertificate(own, session)).current())).toBe('no certificate');
});
