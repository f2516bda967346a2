/** A gateway without a broker, and two of one name. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runFirebreak, startFirebreak } from './firebreak-process.js';
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
    const air = startFirebreak(['air', 'run', '--data-dir', folder]);
    const args = ['--data-dir', folder, '--broker', NO_BROKER, '--broker-patience', '1'];
    const gateway = startFirebreak(['gateway', 'run', ...args]);
    try {
      await gateway.says('the gateway is up');
      await gateway.says('trying again');
      const { stdout } = await runFirebreak('gateway', 'status', '--data-dir', folder);
      expect(stdout).toContain('serving tags; the ledger cannot be reached, reports wait on disk');
      expect(gateway.stderr()).not.toContain('gave up');
    } finally {
      gateway.child.kill('SIGTERM');
      expect((await gateway.ended).code).toBe(0);
      await air.kill();
    }
  });

  it('says why it serves no tag when they are of other days', async () => {
    const folder = await shop.copy();
    await rm(join(folder, 'clock.json'));
    const air = startFirebreak(['air', 'run', '--data-dir', folder]);
    const gateway = startFirebreak(['gateway', 'run', '--data-dir', folder, '--broker', NO_BROKER]);
    try {
      await gateway.says('no tag can be served now');
      expect(gateway.stderr()).toContain('the authority has to renew it');
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
    const args = ['--data-dir', folder, '--broker', NO_BROKER, '--broker-patience', '3'];
    const { code, stderr } = await runFirebreak('gateway', 'run', ...args);
    const seconds = (performance.now() - started) / 1000;
    expect(code).toBe(1);
    expect(stderr).toContain('the broker has to bring its day keys first');
    expect(stderr).toContain(`gave up after 3 s: no MQTT broker at ${NO_BROKER} takes this writer`);
    expect(stderr).toContain('ECONNREFUSED');
    const pauses = [...stderr.matchAll(/trying again.*"againInMs":(\d+)/g)].map(([, ms]) => Number(ms));
    expect(pauses.length).toBeGreaterThanOrEqual(3);
    expect(pauses.at(-1)).toBeGreaterThan(2 * (pauses[0] ?? Infinity));
    expect(seconds).toBeGreaterThan(3);
    expect(seconds).toBeLessThan(50);
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
