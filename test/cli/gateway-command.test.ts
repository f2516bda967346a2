/** A gateway without a broker, and two of one name. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runFirebreak, startFirebreak } from './firebreak-process.js';
import type { FirebreakProcess } from './firebreak-process.js';
import { attempt } from './in-process.js';
import { openWorkshop } from './small-demo.js';
import type { Workshop } from './small-demo.js';

/** Nobody listens on port 1. */
const NO_BROKER = 'mqtt://127.0.0.1:1';

let shop: Workshop;
beforeAll(async () => void (shop = await openWorkshop()));
afterAll(() => shop?.remove());

describe('a gateway with a certificate and day keys on disk', () => {
  it('goes on the air without any broker, and says that reports wait on disk', async () => {
    const folder = await shop.copy();
    await rm(join(folder, 'run'), { recursive: true, force: true }); // as on a machine of its own
    const air = startFirebreak(['air', 'run', '--data-dir', folder]);
    const args = ['--data-dir', folder, '--broker', NO_BROKER, '--broker-patience', '1'];
    const gateway = startFirebreak(['gateway', 'run', ...args]);
    try {
      await gateway.says('the gateway is up');
      await gateway.says('trying again');
      const { stdout } = await runFirebreak('gateway', 'status', '--data-dir', folder);
      expect(stdout).toMatch(
        /serving tags; the ledger cannot be reached \(.*ECONNREFUSED.*\), reports wait on disk/,
      );
      expect(gateway.stderr()).not.toContain('gave up');
    } finally {
      gateway.child.kill('SIGTERM');
      expect((await gateway.ended).code).toBe(0);
      await air.kill();
      const { text } = await attempt('gateway', 'status', '--data-dir', folder);
      expect(text).toMatch(
        /not running; last seen \d+ s ago; then: serving tags; the ledger cannot be reached/,
      );
    }
  });

  it('serves tags while the ledger of its folder is away, once it has met it', async () => {
    const folder = await shop.copy();
    const on = ['--data-dir', folder];
    const air = startFirebreak(['air', 'run', ...on]);
    const ledger = startFirebreak(['ledger', 'run', ...on]);
    const gateways: FirebreakProcess[] = [];
    const gateway = async (): Promise<FirebreakProcess> => {
      const started = startFirebreak(['gateway', 'run', ...on, '--broker-patience', '30']);
      gateways.push(started);
      await started.says('the gateway is up');
      return started;
    };
    try {
      await ledger.says('the ledger is up');
      await (await gateway()).kill();
      await ledger.kill();
      const again = await gateway();
      expect(again.stderr()).toContain('no ledger runs on this folder now; its broker is tried where it was');
    } finally {
      await Promise.all([air, ledger, ...gateways].map((one) => one.kill()));
    }
  });

  it('says why it serves no tag when they are of other days', async () => {
    const folder = await shop.copy();
    await rm(join(folder, 'clock.json'));
    const air = startFirebreak(['air', 'run', '--data-dir', folder]);
    const gateway = startFirebreak(['gateway', 'run', '--data-dir', folder, '--broker', NO_BROKER]);
    try {
      await gateway.says('no tag can be served now');
      expect(gateway.stderr()).toContain('bring gateways/NAME/certificate');
    } finally {
      await Promise.all([gateway.kill(), air.kill()]);
    }
  });
});

/** As the demo left it, but for what the authority sent this gateway. */
async function withoutDayKeys(): Promise<string> {
  const folder = await shop.copy();
  await rm(join(folder, 'gateways', 'hub-1', 'statements'));
  return folder;
}

describe('a gateway at its first start, whose broker is not there', () => {
  it('says what it waits for, tries again, later and later, and gives up after the stated time', async () => {
    const folder = await withoutDayKeys();
    const started = performance.now();
    const args = ['--data-dir', folder, '--broker', NO_BROKER, '--broker-patience', '5'];
    const { code, stderr } = await runFirebreak('gateway', 'run', ...args);
    const seconds = (performance.now() - started) / 1000;
    expect(code).toBe(1);
    expect(stderr).toContain('first start: waiting for the authority’s day keys from the broker');
    expect(stderr).toContain(`gave up after 5 s on ${NO_BROKER}: the broker cannot be reached`);
    expect(stderr).toContain('ECONNREFUSED');
    const pauses = [...stderr.matchAll(/trying again.*"againInMs":(\d+)/g)].map(([, ms]) => Number(ms));
    expect(pauses.length).toBeGreaterThanOrEqual(3);
    expect(pauses.at(-1)).toBeGreaterThan(2 * (pauses[0] ?? Infinity));
    expect(seconds).toBeGreaterThan(5);
    expect(seconds).toBeLessThan(50);
  });

  it('is told of --broker where no ledger runs on its folder', async () => {
    const args = ['--data-dir', await withoutDayKeys(), '--broker-patience', '2'];
    const { code, stderr } = await runFirebreak('gateway', 'run', ...args);
    expect(stderr).toContain('waiting up to 2 s for a ledger');
    expect(stderr).toMatch(
      /no ledger runs on .*; of a ledger on another machine, name the broker with --broker/,
    );
    expect(code).toBe(1);
  });

  it('says which file to take to the authority, and which to bring from there', async () => {
    const folder = await withoutDayKeys();
    const own = join(folder, 'gateways', 'hub-1');
    await rm(join(own, 'certificate'));
    await rm(join(own, 'status.json'), { force: true });
    const gateway = startFirebreak(['gateway', 'run', '--data-dir', folder, '--broker', NO_BROKER]);
    const ways = `bring ${join(own, 'gateway.pub')} there, and gateways/hub-1/certificate from there to ${join(own, 'certificate')}`;
    try {
      await gateway.says('for a certificate');
      expect(gateway.stderr()).toContain(ways);
      const waiting = await attempt('gateway', 'status', '--data-dir', folder);
      expect(waiting.text).toContain('hub-1  waits for the authority’s certificate\n');
      expect(waiting.text).toContain(ways);
      expect(waiting.code).toBe(1);
    } finally {
      await gateway.kill();
    }
    const needs = 'before it can serve tags it needs the authority’s certificate\n';
    const stopped = await attempt('gateway', 'status', '--data-dir', folder);
    expect(stopped.text).toMatch(/hub-1 {2}not running; last seen \d+ s ago; before/);
    expect(stopped.text).toContain(needs);
    expect(stopped.text).toContain(ways);
  });

  it('is shown to wait where an earlier start of it failed', async () => {
    const folder = await withoutDayKeys();
    const failed = { pid: 2 ** 31 - 1, wallMs: 0, status: { name: 'hub-1', isStarting: true } };
    await writeFile(join(folder, 'gateways', 'hub-1', 'status.json'), JSON.stringify(failed));
    const gateway = startFirebreak(['gateway', 'run', '--data-dir', folder, '--broker', NO_BROKER]);
    try {
      await gateway.says('trying again');
      const { text } = await attempt('gateway', 'status', '--data-dir', folder);
      expect(text).toContain('hub-1  is starting: waits for the ledger or its broker\n');
    } finally {
      await gateway.kill();
    }
  });

  it('is shown what it lacks too where it left no status', async () => {
    const folder = await withoutDayKeys();
    const own = join(folder, 'gateways', 'hub-1');
    for (const file of ['certificate', 'status.json']) await rm(join(own, file), { force: true });
    const { code, text } = await attempt('gateway', 'status', '--data-dir', folder);
    expect(text).toContain(
      'hub-1  not running; before it can serve tags it needs the authority’s certificate\n',
    );
    expect(text).toContain(`bring ${join(own, 'gateway.pub')} there`);
    expect(code).toBe(1);
    const other = await attempt('gateway', 'status', '--data-dir', folder, '--name', 'hub-2');
    expect(other.text).toContain('gateway hub-2 has not run on this folder');
    expect(other.code).toBe(1);
  });

  it('is told of a certificate that is there and cannot be read, not to bring one', async () => {
    const folder = await withoutDayKeys();
    const own = join(folder, 'gateways', 'hub-1');
    for (const file of ['certificate', 'status.json']) await rm(join(own, file), { force: true });
    await mkdir(join(own, 'certificate'));
    const why = `${join(own, 'certificate')} is there, but cannot be read (EISDIR`;
    const { text } = await attempt('gateway', 'status', '--data-dir', folder);
    expect(text).toContain(why);
    expect(text).not.toContain('is here');
    const started = await runFirebreak('gateway', 'run', '--data-dir', folder, '--broker', NO_BROKER);
    expect(started.stderr).toContain(why);
    expect(started.stderr).not.toContain('for a certificate');
    expect(started.code).toBe(1);
  });

  it('stops at once when it is asked to while it tries', async () => {
    const folder = await withoutDayKeys();
    const gateway = startFirebreak(['gateway', 'run', '--data-dir', folder, '--broker', NO_BROKER]);
    await gateway.says('trying again');
    const asked = performance.now();
    gateway.child.kill('SIGTERM');
    const { signal } = await gateway.ended;
    expect(signal).toBe(null);
    expect(performance.now() - asked).toBeLessThan(30_000); // it tries for 60 s
    expect(gateway.stderr()).not.toContain('unexpected');
  });

  it('is told what a broker’s address looks like', async () => {
    const { code, stderr } = await runFirebreak(
      ...['gateway', 'run', '--data-dir', await shop.copy(), '--broker', 'somewhere'],
    );
    expect(stderr).toContain('somewhere is no MQTT URL, such as mqtt://127.0.0.1:1883');
    expect(code).toBe(2);
  });
});

describe('a second gateway of the same name', () => {
  it('is refused while the first one runs', async () => {
    const folder = await shop.copy();
    const args = ['gateway', 'run', '--data-dir', folder, '--broker', NO_BROKER, '--broker-patience', '50'];
    const first = startFirebreak(args);
    try {
      await first.says('trying again');
      const second = await runFirebreak(...args);
      expect(second.stderr).toContain(join(folder, 'gateways', 'hub-1'));
      expect(second.stderr).not.toContain('trying again');
      expect(second.code).toBe(1);
    } finally {
      await first.kill();
    }
  });
});
