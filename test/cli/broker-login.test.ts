/** A ledger and its writers at a broker of somebody else that asks for a login: who says what, and to whom not. */
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { Aedes } from 'aedes';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { readBrokerLogin } from '../../cli/files/broker-login.js';
import { folderAt } from '../../cli/folder/folder.js';
import { startFirebreak } from './firebreak-process.js';
import { attempt } from './in-process.js';
import { filesUnder, openWorkshop, type Workshop } from './small-demo.js';

const PASSWORD = 'correct-horse-battery';

let shop: Workshop;
beforeAll(async () => void (shop = await openWorkshop()));
afterAll(() => shop?.remove());

interface Guest {
  readonly id: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly keepsSession: boolean;
}

async function askingBroker(): Promise<{ readonly url: string; readonly guests: Guest[] }> {
  const guests: Guest[] = [];
  const sessions = new Map<string, boolean>();
  const broker = await Aedes.createBroker({
    preConnect: (_client, packet, done) => {
      sessions.set(packet.clientId, !packet.clean);
      done(null, true);
    },
    authenticate: ({ id }, username, password, done) => {
      const guest = { id, username, password: password?.toString(), keepsSession: sessions.get(id) ?? false };
      guests.push(guest);
      done(null, guest.username === 'clinic' && guest.password === PASSWORD);
    },
  });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    broker.handle(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    await new Promise<void>((resolve) => broker.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`, guests };
}

async function withLogin(text = `clinic\n${PASSWORD}\n`): Promise<string> {
  const dir = await shop.copy();
  await writeFile(join(dir, 'broker.login'), text, { mode: 0o600 });
  return dir;
}

it('reads the login of a folder, if there is one, and says what is wrong with it but not what it is', async () => {
  expect(await readBrokerLogin(folderAt(await shop.copy()))).toBeUndefined();
  const dir = await withLogin();
  expect(await readBrokerLogin(folderAt(dir))).toEqual({ username: 'clinic', password: PASSWORD });
  await chmod(join(dir, 'broker.login'), 0o644);
  await expect(readBrokerLogin(folderAt(dir))).rejects.toMatchObject({ code: 'permission' });
  for (const text of [PASSWORD, `clinic\n${PASSWORD}\nmore`, `\n${PASSWORD}`]) {
    const error = await readBrokerLogin(folderAt(await withLogin(text))).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'damaged' });
    expect(String(error)).not.toContain(PASSWORD);
  }
});

it.each([
  ['ledger', `mqtt://clinic:${PASSWORD}@127.0.0.1:1`],
  ['gateway', `mqtt://clinic:${PASSWORD}@127.0.0.1:1`],
  ['ledger', `mqtt//clinic:${PASSWORD}@127.0.0.1`],
])('refuses a %s whose broker is named with a password, without repeating it', async (party, url) => {
  const { code, text } = await attempt(party, 'run', '--data-dir', await shop.copy(), '--broker', url);
  expect(code).toBe(2);
  expect(text).toContain('broker.login');
  expect(text).not.toContain(PASSWORD);
});

it('gives the login to the broker and to nobody else, and comes back to the session it had', async () => {
  const dir = await withLogin();
  const { url, guests } = await askingBroker();
  for (let start = 0; start < 2; start++) {
    const ledger = startFirebreak(['ledger', 'run', '--data-dir', dir, '--broker', url]);
    onTestFinished(() => ledger.kill());
    await ledger.says('the ledger is up');
    if (start === 0) {
      const gateway = startFirebreak(['gateway', 'run', '--data-dir', dir, '--broker', url]);
      onTestFinished(() => gateway.kill());
      await gateway.says('connected to the broker');
      expect(gateway.stderr() + gateway.stdout()).not.toContain(PASSWORD);
      await gateway.kill();
    }
    for (const file of await filesUnder(dir))
      if (!file.endsWith('broker.login')) expect((await readFile(file)).includes(PASSWORD)).toBe(false);
    expect(await readFile(join(dir, 'run', 'ledger.json'), 'utf8')).toContain(url);
    await ledger.kill();
    expect(ledger.stderr() + ledger.stdout()).not.toContain(PASSWORD);
  }
  const [first, gateway, second] = guests;
  expect(guests).toHaveLength(3);
  expect(first).toMatchObject({ username: 'clinic', password: PASSWORD, keepsSession: true });
  expect(first?.id).toMatch(/^[0-9a-z]{10,23}$/);
  expect(second).toEqual(first);
  expect(gateway).toMatchObject({ username: 'clinic', password: PASSWORD });
});
