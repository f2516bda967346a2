/** `firebreak trace --evidence` and `firebreak evidence verify`, as an officer and whoever is handed the file run them. */
import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '../../cli/folder/config.js';
import type { Config } from '../../cli/folder/config.js';
import { folderAt } from '../../cli/folder/folder.js';
import { toHex } from '../../protocol/bytes.js';
import { formatCosignerKey } from '../../protocol/tlog/cosignature.js';
import { parseVerifierKey } from '../../protocol/tlog/note.js';
import { cosignerNamed, startWitness } from '../witness/running-witness.js';
import { FIREBREAK, program } from '../program.js';
import { startFirebreak } from './firebreak-process.js';
import type { Finished } from './firebreak-process.js';
import { attempt } from './in-process.js';
import { openWorkshop } from './small-demo.js';
import type { Workshop } from './small-demo.js';

let workshop: Workshop;
let config: Config;
let evidence: string;
let traced: string;
const QUESTION = [
  '--case',
  '1',
  '--latent-seconds',
  '0',
  '--officer',
  'Dr. Ada',
  '--purpose',
  'ward 4',
] as const;
const verify = (file: string, ...more: readonly string[]) =>
  attempt('evidence', 'verify', file, '--vkey', config.logKey, ...more);

beforeAll(async () => {
  workshop = await openWorkshop();
  config = await readConfig(folderAt(workshop.demo));
  evidence = workshop.path('ward.evidence');
  const { code, text } = await attempt(
    ...['trace', '--data-dir', await workshop.copy(), ...QUESTION],
    ...['--evidence', evidence, '--json', workshop.path('trace.json')],
  );
  if (code !== 0) throw new Error(text);
  traced = text;
  return () => workshop.remove();
});

/** A process of its own, in a folder with nothing but the evidence, and nothing in its environment. */
async function onBareMachine(...args: readonly string[]): Promise<Finished & { readonly dir: string }> {
  const dir = workshop.path('bare');
  await mkdir(dir, { recursive: true });
  await cp(evidence, join(dir, 'ward.evidence'));
  const whole = [program(FIREBREAK), ...args];
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      whole,
      { cwd: dir, env: { NO_COLOR: '1', HOME: dir } },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), signal: null, stdout, stderr, dir });
      },
    );
  });
}

describe('firebreak trace --evidence', () => {
  test('writes a private file, says how to check it, and leaves nothing else', async () => {
    expect((await stat(evidence)).mode & 0o777).toBe(0o600);
    expect(traced).toContain(`firebreak evidence verify ${evidence} --vkey ${config.logKey}`);
    expect((await readdir(workshop.dir)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('is shown in plain words on a machine that has nothing else', async () => {
    const issuer = toHex(config.issuerPublicKey);
    const args = ['evidence', 'verify', 'ward.evidence', '--vkey', config.logKey, '--issuer', issuer];
    const { code, stdout, stderr, dir } = await onBareMachine(...args);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(await readdir(dir)).toEqual(['ward.evidence']);
    for (const words of [
      `accepted evidence of a trace, in the log ${config.origin}`,
      'case 1: whom it may have infected, within 3 hops',
      'Dr. Ada: ward 4',
      '2 people, all shown here',
      'hop 2, exposure 2023-11-15T10:15:00Z',
      '1 to 2  2023-11-15T08:00:00Z to 2023-11-15T08:15:00Z, ',
      'told by both, entries',
      `issuer ${issuer}, the one given`,
      'not proved here',
    ])
      expect(stdout).toContain(words);
  });

  test('says of each step what the trace says', async () => {
    const { text } = await verify(evidence);
    const trace = JSON.parse(await readFile(workshop.path('trace.json'), 'utf8')) as {
      readonly reached: readonly {
        readonly person: string;
        readonly path: readonly {
          readonly from: string;
          readonly to: string;
          readonly nearSeconds: number;
          readonly ledger: readonly number[];
        }[];
      }[];
    };
    expect(trace.reached.map(({ person }) => person)).toEqual(['2', '3']);
    for (const step of trace.reached.flatMap(({ path }) => path))
      expect(text).toMatch(
        new RegExp(
          `${step.from} to ${step.to}  .* ${step.nearSeconds} s near .* entries ${step.ledger.join(' ')}\n`,
        ),
      );
  });

  test('says which contacts counted, and that presence did', async () => {
    const file = workshop.path('medium.evidence');
    const asked = ['--presence', '--attenuation', 'medium', '--min-seconds', '300', '--evidence', file];
    const folder = await workshop.copy();
    expect(await attempt('trace', '--data-dir', folder, ...QUESTION, ...asked)).toMatchObject({ code: 0 });
    const { code, text } = await verify(file);
    expect(code).toBe(0);
    expect(text).toContain('2 people, all shown here');
    expect(text).toContain('5 min at medium distance or nearer within 24 h, or at one gateway at one time');
  });

  test('shows steps by presence in plain words', async () => {
    const vector = JSON.parse(
      await readFile(new URL('../vectors/evidence-presence.json', import.meta.url), 'utf8'),
    ) as { readonly vkey: string; readonly bundle: string };
    const file = workshop.path('presence.evidence');
    await writeFile(file, Buffer.from(vector.bundle, 'base64'));
    const { code, text } = await attempt('evidence', 'verify', file, '--vkey', vector.vkey);
    expect(code).toBe(0);
    expect(text).toMatch(
      /1 to 2 {2}2026-09-04T12:05:00Z to 2026-09-04T12:25:00Z, both at gateway [0-9a-f]{32} for 1200 s at one time, .*, entries 4 5 /,
    );
    for (const words of [
      'or at one gateway at one time',
      'the look and the 4 reports cited are entries in it',
      '3 of them are of gateways, each signed by its gateway, which the issuer had approved for that day',
      'that the two came to a gateway no earlier and left it no later than what is cited of it says',
    ])
      expect(text).toContain(words);
  });

  test('refuses a changed file with what is wrong and exit code 1', async () => {
    const bytes = await readFile(evidence);
    const bent = workshop.path('bent.evidence');
    for (const [at, words] of [
      [bytes.indexOf('firebreak/evidence'), 'not an evidence bundle'],
      [bytes.indexOf(Buffer.from(config.issuerPublicKey)), 'entry'],
      [bytes.indexOf(`${config.origin}\n`), 'the checkpoint of the bundle'],
      [bytes.length - 1, 'not as the tracer signed it'],
    ] as const) {
      const copy = Buffer.from(bytes);
      copy[at] = (copy[at] ?? 0) ^ 1;
      await writeFile(bent, copy);
      const { code, text } = await verify(bent);
      expect(text).toContain(words);
      expect(text).not.toContain('accepted');
      expect(code).toBe(1);
    }
    await writeFile(bent, '{"case": "1105"}\n'.repeat(9));
    expect((await verify(bent)).text).toContain('not an evidence bundle: it does not begin as one');
    const other = await verify(evidence, '--issuer', '00'.repeat(32));
    expect(other).toMatchObject({ code: 1, text: expect.stringContaining('another issuer') as string });
  });

  test('shows the people who are named, and no others', async () => {
    const some = workshop.path('some.evidence');
    const folder = await workshop.copy();
    const named = ['--evidence', some, '--evidence-person', '02'];
    expect(await attempt('trace', '--data-dir', folder, ...QUESTION, ...named)).toMatchObject({ code: 0 });
    const { code, text } = await verify(some);
    expect(code).toBe(0);
    expect(text).toContain('2 people, 1 of them shown here');
    expect(text).not.toMatch(/^ {2}3 {2}hop/m);
  });

  test('is there although another file of the answer could not be written', async () => {
    const file = workshop.path('alone.evidence');
    const json = workshop.path('j'.repeat(250)); // with what is added while it is written, too long for a name
    const asked = [...QUESTION, '--json', json, '--evidence', file];
    const { code, text } = await attempt('trace', '--data-dir', await workshop.copy(), ...asked);
    expect(text).toContain(`${json} cannot be written`);
    expect(code).toBe(1);
    expect(await verify(file)).toMatchObject({ code: 0 });
  });

  test('overwrites nothing, and asks nothing before it knows', async () => {
    const folder = await workshop.copy();
    const before = await readFile(evidence);
    const again = await attempt('trace', '--data-dir', folder, ...QUESTION, '--evidence', evidence);
    expect(again).toMatchObject({ code: 1, text: expect.stringContaining('is there already') as string });
    expect(again.text).not.toContain('recorded as');
    expect(await readFile(evidence)).toEqual(before);
    const nowhere = await attempt(
      'trace',
      '--data-dir',
      folder,
      ...QUESTION,
      '--evidence',
      workshop.path('no/such'),
    );
    expect(nowhere).toMatchObject({ code: 1, text: expect.stringContaining('there is no folder') as string });
  });

  test.each([
    ['no key is given', () => attempt('evidence', 'verify', evidence), '--vkey'],
    ['a key is none', () => attempt('evidence', 'verify', evidence, '--vkey', 'x'), 'firebreak ledger vkey'],
    ['an issuer key is none', () => verify(evidence, '--issuer', 'beef'), '64 hex digits'],
    [
      'people are named for no file',
      () => attempt('trace', '--data-dir', workshop.demo, ...QUESTION, '--evidence-person', '2'),
      'goes with --evidence',
    ],
    [
      'a person is no number',
      () =>
        attempt(
          'trace',
          '--data-dir',
          workshop.demo,
          ...QUESTION,
          '--evidence',
          'x',
          '--evidence-person',
          '2,x',
        ),
      'tag numbers',
    ],
  ])('ends with 2 when %s', async (_what, run, words) => {
    const { code, text } = await run();
    expect(text).toContain(words);
    expect(code).toBe(2);
  });

  test('can be asked to have witnesses, and is refused without them, by name', async () => {
    const file = workshop.path('one.policy');
    const hospital = formatCosignerKey(cosignerNamed('hospital'));
    await writeFile(file, `log ${config.logKey}\nwitness hospital ${hospital}\nquorum hospital\n`);
    const { code, text } = await verify(evidence, '--policy', file);
    expect(code).toBe(1);
    expect(text).toContain('missing hospital');
    await writeFile(file, `log ${config.logKey}\nwitness hospital ${hospital}\nquorum none\n`);
    expect(await verify(evidence, '--policy', file)).toMatchObject({ code: 0 });
  });

  test('shows when the witnesses of the policy cosigned', async () => {
    const folder = await workshop.copy();
    const hospital = await startWitness('hospital', {
      logs: [parseVerifierKey(config.logKey)],
      nowSeconds: () => 1_790_000_000,
    });
    const policy = workshop.path('cosigned.policy');
    await writeFile(
      policy,
      `log ${config.logKey}\nwitness hospital ${formatCosignerKey(hospital.cosigner)} ${hospital.url}\nquorum hospital\n`,
    );
    const before = workshop.path('before'); // was published before the first policy
    expect(await attempt('ledger', 'export', '--data-dir', folder, '--out', before)).toMatchObject({
      code: 0,
    });
    await cp(join(before, 'checkpoint'), join(folderAt(folder).ledger.store, 'published'));
    await cp(policy, folderAt(folder).ledger.policy);
    const file = workshop.path('cosigned.evidence');
    const asked = [...QUESTION, '--evidence', file];
    const traced = await attempt('trace', '--data-dir', folder, ...asked);
    expect([traced.code, traced.stderr]).toEqual([0, '']);
    const { code, text } = await verify(file, '--policy', policy);
    expect(text).toContain('  cosigned by hospital 2026-09-21T14:13:20Z, as the policy asks\n');
    expect(code).toBe(0);
  });

  test('says that a file is not there, or is not evidence', async () => {
    expect((await verify(workshop.path('gone'))).text).toContain('there is no file');
    const { code, text } = await verify(workshop.contacts);
    expect(text).toContain('evidence bundle');
    expect(code).toBe(1);
  });

  test('comes from a tracer that runs, over HTTP, as well', async () => {
    const folder = await workshop.copy();
    await chmod(folder, 0o700);
    const running = ['ledger', 'tracer'].map((room) => startFirebreak([room, 'run', '--data-dir', folder]));
    try {
      await running[1]?.says('the tracer is up');
      const file = workshop.path('http.evidence');
      const asked = await attempt('trace', '--data-dir', folder, ...QUESTION, '--evidence', file);
      expect(asked).toMatchObject({ code: 0 });
      expect(await verify(file)).toMatchObject({ code: 0 });
      const unknown = ['--evidence', workshop.path('none.evidence'), '--evidence-person', '77'];
      const refused = await attempt('trace', '--data-dir', folder, ...QUESTION, ...unknown);
      expect(refused).toMatchObject({
        code: 1,
        text: expect.stringContaining(
          'not in the answer, so evidence cannot show them: 77; the look is recorded',
        ) as string,
      });
      expect(await readdir(workshop.dir)).not.toContain('none.evidence');
    } finally {
      await Promise.all(running.map((one) => one.kill()));
    }
  });
});
