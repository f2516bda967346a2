/** What a crash, a full disk or a bad sector leaves of a day's keys: no day is ever stated with two, and none stops the others. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { openAuthority } from '../../authority/authority.js';
import { dayKeyFiles } from '../../cli/days/day-key-files.js';
import { decodeDayKeyPayload } from '../../protocol/payload/day-key.js';
import { decodeDayKeyStatement } from '../../protocol/session/day-key-statement.js';
import { AskingTag, courierThat, newWorld, TODAY, type World } from '../authority/fixture.js';
import { program } from '../program.js';

let dir: string;
let world: World;
const keyFile = (day: number) => join(dir, `${day}.key`);

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'firebreak-crash-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  world = newWorld({ dayKeys: dayKeyFiles(dir) });
});

/** The authority runs a little and stops. */
const run = async (deps = world.deps) => (await openAuthority(deps)).close();

const said = (level: string) => world.logged.filter((line) => line.level === level);

/** The sealing keys that the log was told of a day, each once. */
function statedKeys(day: number): string[] {
  const statements = world.posted
    .filter(({ type }) => type === 4)
    .map(({ payload }) => decodeDayKeyPayload(payload))
    .flatMap((entry) => (entry.kind === 'published' ? [decodeDayKeyStatement(entry.statement)] : []));
  const keys = statements.filter((one) => one.day === day).map((one) => one.sealingPublicKey);
  return [...new Set(keys.map((key) => Buffer.from(key).toString('hex')))];
}

describe('keys that were never used', () => {
  it.each([0, 60])(
    'are set aside when a crash left %s bytes of them, and the day gets others',
    async (bytes) => {
      await writeFile(keyFile(TODAY), Buffer.alloc(bytes, 1), { mode: 0o600 });
      await run();
      expect(await world.deps.dayKeys.list()).toEqual([TODAY - 1, TODAY, TODAY + 1]);
      expect(await world.deps.dayKeys.get(TODAY)).toBeDefined();
      expect(await readFile(`${keyFile(TODAY)}.damaged`)).toHaveLength(bytes);
      expect(said('warn')).toMatchObject([{ fields: { day: TODAY } }]);
      expect(statedKeys(TODAY)).toHaveLength(1);
      const kept = await world.deps.dayKeys.get(TODAY);
      await run();
      expect(await world.deps.dayKeys.get(TODAY)).toEqual(kept);
    },
  );

  it('leave nothing under their name when the disk takes only a part of them', async () => {
    const script = `
      process.on('SIGXFSZ', () => {});
      const { writePrivate } = await import(${JSON.stringify(program(new URL('../../cli/files/key-files.ts', import.meta.url)))});
      await writePrivate(${JSON.stringify(keyFile(TODAY))}, new Uint8Array(4096)).then(
        () => console.log('written'), (error) => console.log(error.code));`;
    const node = `'${process.execPath}' --input-type=module -e "$SCRIPT"`;
    const { stdout } = await promisify(execFile)('bash', ['-c', `ulimit -f 1; exec ${node}`], {
      env: { ...process.env, SCRIPT: script },
    });
    expect(stdout).toBe('input\n');
    expect(await readdir(dir)).toEqual([]);
  });
});

describe('keys that others know', () => {
  it.each([
    ['cut short', (file: string) => truncate(file, 60)],
    ['gone', (file: string) => rm(file)],
  ])(
    'are not replaced when they are %s: that is said once, and they come back with their file',
    async (_, harm) => {
      await run();
      const [stated] = statedKeys(TODAY);
      const copy = await readFile(keyFile(TODAY));
      await harm(keyFile(TODAY));
      const authority = await openAuthority(world.deps);
      for (let round = 0; round < 3; round += 1) await authority.maintain();
      expect(said('error')).toMatchObject([
        {
          fields: {
            day: TODAY,
            why: expect.stringContaining('Put the file back if it is elsewhere') as string,
          },
        },
      ]);
      await expect(authority.ensureDayKeys(TODAY, TODAY + 1)).rejects.toMatchObject({ code: 'damaged' });
      await authority.ensureDayKeys(TODAY + 2, TODAY + 3);
      await writeFile(keyFile(TODAY), copy, { mode: 0o600 });
      await authority.ensureDayKeys(TODAY, TODAY + 1);
      await authority.close();
      expect(statedKeys(TODAY)).toEqual([stated]);
      expect(await readdir(dir)).not.toContain(`${TODAY}.key.damaged`);
    },
  );

  it('and are lost for a day to come keep no tag from the days around it', async () => {
    const first = await openAuthority(world.deps);
    await first.ensureDayKeys(TODAY, TODAY + 7);
    await first.close();
    await rm(keyFile(TODAY + 3));
    const authority = await openAuthority(world.deps);
    const tag = new AskingTag('a');
    for (let ask = 0; ask < 2; ask += 1)
      await expect(authority.enrol(tag.firstRequest(TODAY, 7))).rejects.toMatchObject({
        code: 'day',
        message: `no credentials can be issued for day ${TODAY + 3}; ask for days before or after it`,
      });
    const pack = tag.open(await authority.enrol(tag.firstRequest(TODAY, 3)));
    expect(pack.days).toHaveLength(3);
    await expect(authority.renew(tag.renewal(pack, TODAY, TODAY + 3, 1))).rejects.toMatchObject({
      code: 'day',
    });
    const later = tag.open(await authority.renew(tag.renewal(pack, TODAY, TODAY + 4, 3)));
    expect(later.firstDay).toBe(TODAY + 4);
    expect(said('error')).toMatchObject([{ fields: { day: TODAY + 3 } }]);
    await authority.close();
  });

  it('count as known from before they are stated: a crash right after the log was told makes no second ones', async () => {
    const courier = courierThat(async (entries) => {
      world.posted.push(...entries);
      throw new Error('killed');
    });
    await expect(run({ ...world.deps, courier })).rejects.toThrow('killed');
    expect(statedKeys(TODAY - 1)).toHaveLength(1);
    await truncate(keyFile(TODAY - 1), 0);
    await run();
    expect(statedKeys(TODAY - 1)).toHaveLength(1);
    expect(said('error')).toMatchObject([{ fields: { day: TODAY - 1 } }]);
  });
});
