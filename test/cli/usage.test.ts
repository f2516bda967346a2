/** Exit code 2 for what is typed wrongly, 0 and help for who asks; nothing is touched in either case. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildProgram } from '../../cli/program.js';
import { FIREBREAK, program } from '../program.js';
import { PROJECT_ROOT, runFirebreak } from './firebreak-process.js';
import { attempt } from './in-process.js';

let dir: string;
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), 'firebreak-usage-'))));
afterAll(() => rm(dir, { recursive: true, force: true }));

const BLE = ['gateway', 'run', '--data-dir', 'DIR', '--radio', 'ble', '--adapters'];

const WRONG: readonly (readonly [what: string, args: readonly string[], says: string])[] = [
  ['no hops', ['demo', '--hops', '0'], 'from 1 to 16'],
  ['17 hops', ['demo', '--hops', '17'], 'from 1 to 16'],
  ['hops that are no number', ['demo', '--hops', 'abc'], 'from 1 to 16'],
  ['half a hop', ['demo', '--hops', '2.5'], 'from 1 to 16'],
  ['17 hops of a trace', ['trace', '--data-dir', 'DIR', '--case', '1', '--hops', '17'], 'from 1 to 16'],
  ['a start that is no time', ['demo', '--from', 'yesterday'], '--from must be unix seconds or an ISO date'],
  ['a day that does not exist', ['demo', '--to', '2026-13-01'], '--to must be unix seconds or an ISO date'],
  [
    'a 30th of February',
    ['demo', '--from', '2026-02-30T08:00Z'],
    '--from must be unix seconds or an ISO date',
  ],
  ['a day without its dashes', ['demo', '--to', '20260302'], 'write 2026-03-02'],
  [
    'a window of a demo that ends before it begins',
    ['demo', '--from', '2023-11-16', '--to', '2023-11-15'],
    'the window ends',
  ],
  [
    'a demo of what came after all of it',
    ['demo', '--from', '2030-01-01'],
    'nothing is known that ended after --from',
  ],
  [
    'a demo of days long before it',
    ['demo', '--from', '2020-01-01', '--to', '2020-01-02'],
    'nothing is known of this window: contacts are known from ',
  ],
  [
    'a window of a trace that ends before it begins',
    ['trace', '--data-dir', 'DIR', '--case', '1', '--from', '200', '--to', '100'],
    'the window ends before it begins',
  ],
  [
    'a list of nobody',
    ['trace', '--data-dir', 'DIR', '--case', '1', '--list', '0'],
    'must be a whole number from 1 to 100000',
  ],
  ['a direction that is none', ['demo', '--direction', 'sideways'], 'forward, backward, both'],
  ['negative seconds', ['demo', '--min-seconds', '-1'], 'whole number from 0'],
  ['an unknown option', ['demo', '--fast'], "unknown option '--fast'"],
  ['an unknown command', ['sing'], "unknown command 'sing'"],
  ['a trace without a folder', ['trace', '--case', '1'], '--data-dir <dir>'],
  ['a tracer on no host', ['tracer', 'run', '--data-dir', 'DIR', '--http-host', ''], 'such as 127.0.0.1'],
  ['a witness on no host', ['witness', 'run', 'DIR', '--port', '0', '--host', ' '], 'such as 127.0.0.1'],
  ['a token for nobody', ['tracer', 'token', '--data-dir', 'DIR'], '--name <name>'],
  [
    'a token without a name',
    ['tracer', 'token', '--data-dir', 'DIR', '--name', ''],
    '--name: a name has 1 to 256 bytes on one line',
  ],
  [
    'a token in a name that cannot be recorded',
    ['tracer', 'token', '--data-dir', 'DIR', '--name', ' Wu'],
    '--name: a name has 1 to 256 bytes on one line',
  ],
  [
    'a token of no role there is',
    ['tracer', 'token', '--data-dir', 'DIR', '--name', 'Wu', '--role', 'owner'],
    'officer, operator',
  ],
  ['a trace without a case', ['trace', '--data-dir', 'DIR'], '--case <id>'],
  ['a tag without a number', ['tag', 'run', '--data-dir', 'DIR'], '--number <n>'],
  ['a port beyond all ports', ['ledger', 'run', '--data-dir', 'DIR', '--mqtt-port', '70000'], '65535'],
  ['a clock that stands still', ['ledger', 'run', '--data-dir', 'DIR', '--clock-rate', '0'], 'above 0'],
  ['a place in one dimension', ['gateway', 'run', '--data-dir', 'DIR', '--place', '3'], 'two numbers'],
  ['a gateway’s name that is a path', ['gateway', 'run', '--data-dir', 'DIR', '--name', '../x'], 'lowercase'],
  ['one adapter', ['tag', 'run', '--data-dir', 'DIR', '--number', '1', '--adapters', 'hci0'], 'two adapters'],
  ['an adapter that is none', [...BLE, 'hci0,blue'], 'names no Bluetooth adapter'],
  ['Bluetooth on no adapters', BLE.slice(0, -1), '--adapters hci0,hci1'],
  [
    'adapters of the simulated air',
    ['gateway', 'run', '--data-dir', 'DIR', '--adapters', '0,1'],
    '--radio ble',
  ],
  ['a place on Bluetooth', [...BLE, 'hci0,hci1', '--place', '1,2'], 'only with the simulated air'],
  [
    'modelled signal strengths on real adapters',
    [...BLE, 'hci0,hci1', '--emulated-rssi', 'walk'],
    'real adapters measure',
  ],
  ['an authority that is no address', ['tag', 'run', '--authority', 'here'], 'https://authority.example.org'],
  ['a case that is no number', ['trace', '--data-dir', 'DIR', '--case', 'abc'], 'a tag number, such as 17'],
  [
    'a broker that speaks no MQTT',
    ['gateway', 'run', '--data-dir', 'DIR', '--broker', 'http://broker.example.org'],
    '--broker: http://broker.example.org is no MQTT URL, such as mqtt://127.0.0.1:1883',
  ],
  [
    'a broker elsewhere in plain text',
    ['ledger', 'run', '--data-dir', 'DIR', '--broker', 'mqtt://broker.example.org'],
    'use mqtts:// there',
  ],
  ['no patience', ['gateway', 'run', '--data-dir', 'DIR', '--broker-patience', '0'], '1 to 86400'],
  ['a notice for nobody', ['authority', 'notify', '--data-dir', 'DIR'], '--person NUMBERS or --persons FILE'],
  [
    'persons that are no numbers',
    ['authority', 'notify', '--data-dir', 'DIR', '--person', '1,x'],
    '--person takes tag numbers',
  ],
  [
    'a person with a number beyond all tags',
    ['authority', 'notify', '--data-dir', 'DIR', '--person', String(2 ** 48)],
    '--person takes tag numbers',
  ],
  [
    'more persons than a notice can name',
    [
      'authority',
      'notify',
      '--data-dir',
      'DIR',
      '--person',
      Array.from({ length: 4097 }, (_, n) => n).join(),
    ],
    'at most 4096 tag numbers, not 4097',
  ],
  [
    'a gateway that is no id',
    ['authority', 'revoke', '--data-dir', 'DIR', '--gateway', '12'],
    '32 hex digits',
  ],
  [
    'a sunset that is past',
    ['authority', 'init', '--data-dir', 'DIR', '--sunset', '2020-06-30'],
    '--sunset 2020-06-30 is past',
  ],
  [
    'a sunset before the clock that is set',
    [
      'authority',
      'init',
      '--data-dir',
      'DIR',
      '--sunset',
      '2027-06-30',
      '--clock-start',
      '2027-07-01T12:00Z',
    ],
    'today is 2027-07-01',
  ],
  [
    'a log’s name that is none',
    ['authority', 'init', '--data-dir', 'DIR', '--origin', 'a b'],
    '--origin must have no spaces',
  ],
  [
    'a log’s name that is too long',
    ['authority', 'init', '--data-dir', 'DIR', '--origin', 'x'.repeat(256)],
    'must not be longer than 255 bytes',
  ],
  ['two places to verify', ['ledger', 'verify', '--data-dir', 'DIR', '--export', 'DIR'], 'not both'],
  ['an answer for standard output', ['demo', '--json', '-'], 'name a file'],
  [
    'an export for standard output',
    ['ledger', 'export', '--data-dir', 'DIR', '--out', '-'],
    '- does not stand for standard output here: name a folder',
  ],
  [
    'a city for standard output',
    ['city', '--people', '9', '--days', '1', '--seed', 'x', '--out', '-'],
    'name a folder',
  ],
  [
    'an officer without a name',
    ['trace', '--data-dir', 'DIR', '--case', '1', '--officer', ' '],
    '--officer is empty',
  ],
  [
    'a purpose that is no plain line',
    ['cluster', '--data-dir', 'DIR', '--cases', 'cases.txt', '--purpose', 'a\u001bb'],
    '--purpose must be one line',
  ],
  [
    'a purpose of 300 characters',
    ['trace', '--data-dir', 'DIR', '--case', '1', '--purpose', 'p'.repeat(300)],
    '--purpose has 300 bytes: at most 256 bytes of UTF-8 are recorded',
  ],
  [
    'a name of 100 characters that take 300 bytes',
    ['cluster', '--data-dir', 'DIR', '--cases', 'cases.txt', '--officer', '吴'.repeat(100)],
    '--officer has 300 bytes: at most 256',
  ],
  [
    'people to show who are no numbers',
    ['trace', '--data-dir', 'DIR', '--case', '1', '--evidence-person', 'x'],
    '--evidence-person takes tag numbers, such as 17, separated by commas, not “x”',
  ],
  [
    'more people to show than a question names',
    ['trace', '--data-dir', 'DIR', '--case', '1', '--evidence-person', '7,'.repeat(500) + '7'],
    '--evidence-person takes at most 500 tag numbers, not 501',
  ],
  ['nothing to verify', ['ledger', 'verify'], '--data-dir DIR'],
  ['an export to verify without a key', ['ledger', 'verify', '--export', 'DIR'], '--vkey KEY'],
  ['a key that is none', ['ledger', 'verify', '--export', 'DIR', '--vkey', 'x'], 'firebreak ledger vkey'],
];

describe('a command that is used wrongly', () => {
  it.each(WRONG)('is refused with exit code 2: %s', async (_what, args, says) => {
    const { code, text } = await attempt(...args.map((arg) => (arg === 'DIR' ? dir : arg)));
    expect(text).toContain(says);
    expect(code).toBe(2);
    expect(await readdir(dir)).toEqual([]);
  });

  it.each([[[]], [['gateway']], [['ledger']]])('is shown its help on stderr: firebreak %j', async (args) => {
    const { code, stdout, stderr } = await attempt(...args);
    expect(stderr).toContain('Usage: firebreak');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  it.each([[['help']], [['--help']], [['gateway', 'help']], [['--version']]])(
    'is not one that asks: firebreak %j',
    async (args) => {
      const { code, stderr } = await attempt(...args);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    },
  );

  it('ends its process with that code, in words on stderr alone', async () => {
    const { code, stdout, stderr } = await runFirebreak('demo', '--hops', '17');
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('from 1 to 16');
  });

  it('does so from its sources too, which Node reads with a loader', async () => {
    const args = ['--import', 'tsx', fileURLToPath(FIREBREAK), 'demo', '--hops', '17'];
    const ended = promisify(execFile)(process.execPath, args, { cwd: PROJECT_ROOT });
    await expect(ended).rejects.toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('from 1 to 16') as string,
    });
  });
});

it('a command that is interrupted while it starts says so, with exit code 130', async () => {
  const interrupt = `process.on('newListener', (event) => {
    if (event === 'SIGINT') setImmediate(() => process.kill(process.pid, 'SIGINT'));
  });`;
  const args = ['--import', `data:text/javascript,${encodeURIComponent(interrupt)}`, program(FIREBREAK)];
  const init = ['authority', 'init', '--data-dir', join(dir, 'interrupted')];
  await expect(promisify(execFile)(process.execPath, [...args, ...init])).rejects.toMatchObject({
    code: 130,
    stdout: '',
    stderr: expect.stringContaining('stopped before it was done') as string,
  });
  expect(await readdir(dir)).toEqual([]);
});

describe('help', () => {
  it('names the exit codes', async () => {
    const { text } = await attempt('--help');
    expect(text).toContain('Exit codes: 0 done, 1 failed, 2 used wrongly, 130 interrupted.');
  });

  const commands = [...allCommands(buildProgram())].map((command) => [nameOf(command), command] as const);

  it('is there for each of the commands', () => {
    const names = commands.map(([name]) => name);
    expect(names).toContain('demo');
    expect(names).toContain('ledger verify');
    expect(names.length).toBeGreaterThanOrEqual(20);
  });

  it.each(commands)('says what %s is for and what each option means', async (name, command) => {
    const { code, text } = await attempt(...name.split(' ').filter((word) => word !== ''), '--help');
    expect(code).toBe(0);
    expect(command.description()).not.toBe('');
    expect(text).toContain('Usage: firebreak');
    for (const option of command.options) {
      expect(option.description, option.flags).not.toBe('');
      expect(text).toContain(option.flags);
    }
  });

  it('says what is required, and leaves what hardly anybody needs to the end', async () => {
    const { text } = await attempt('tag', 'run', '--help');
    const words = text.replace(/\s+/g, ' ');
    expect(words).toContain('--number <n> its tag number (required)');
    expect(words).not.toContain('by default the authority of the folder (required)');
    const options = [...text.matchAll(/^ {2}(?:-h, )?--(\S+)/gm)].map(([, name]) => name);
    expect(options[0]).toBe('data-dir');
    expect(options.slice(-3)).toEqual(['clock-start', 'clock-rate', 'help']);
  });

  it('says who is listed of a trace where not all are', async () => {
    const { text } = await attempt('trace', '--help');
    expect(text.replace(/\s+/g, ' ')).toContain(
      'list at most so many people, 1 to 100,000 (default: 10,000): the first by hop, then time of exposure',
    );
  });

  it('names the defaults of a trace', async () => {
    const { text } = await attempt('demo', '--help');
    const words = text.replace(/\s+/g, ' ');
    for (const value of ['3', '172800', '900', '"forward"', '10,000'])
      expect(words).toContain(`default: ${value})`);
  });
});

function* allCommands(command: Command): Generator<Command> {
  yield command;
  for (const child of command.commands) yield* allCommands(child);
}

function nameOf(command: Command): string {
  return command.parent === null ? '' : `${nameOf(command.parent)} ${command.name()}`.trim();
}
