/** The services of deploy/systemd say what `firebreak` understands. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { buildProgram } from '../../cli/program.js';
import { PROJECT_ROOT } from './firebreak-process.js';

const DIR = join(PROJECT_ROOT, 'deploy/systemd');
const units = await readdir(DIR);

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
  it('are of a gateway and of a tag', () => {
    expect(units.sort()).toEqual(['firebreak-gateway@.service', 'firebreak-tag@.service']);
  });

  it.each(units)('%s starts a command with options that it has, and all that it needs', async (unit) => {
    const words = await commandOf(unit);
    const options = subcommand(words)?.options ?? [];
    const given = words.filter((word) => word.startsWith('--'));
    const known = options.map(({ long }) => long);
    expect(given.length).toBeGreaterThan(3);
    expect(known).toEqual(expect.arrayContaining(given));
    const needed = options.filter(({ mandatory, defaultValue }) => mandatory && defaultValue === undefined);
    expect(given).toEqual(expect.arrayContaining(needed.map(({ long }) => long)));
  });

  it.each(units)('%s names each variable of its environment file', async (unit) => {
    const text = await readFile(join(DIR, unit), 'utf8');
    const used = [...text.matchAll(/\$\{([A-Z]+)\}/g)].map(([, name]) => name);
    const said = [...text.matchAll(/^# .*$/gm)].join(' ');
    expect(used.length).toBe(unit.includes('tag') ? 3 : 2);
    for (const name of used) expect(said).toContain(`${name}=`);
  });

  it('let a host without a clock of its own hold its gateway back until the network has set the time', async () => {
    const text = await readFile(join(DIR, 'firebreak-gateway@.service'), 'utf8');
    expect(text).toMatch(/^After=time-sync\.target$/m);
    expect(text).not.toMatch(/^(Wants|Requires)=.*network-online/m);
  });
});
