/** `firebreak city`: contacts of a synthetic city, for trying a tracer at full size (docs/city.md). */
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import {
  DEFAULT_CONTACTS_PER_DAY,
  DEFAULT_FIRST_DAY,
  MAX_CONTACTS_PER_DAY,
  MAX_DAYS,
  MAX_PEOPLE,
  expectedContacts,
  requireCity,
} from '../../firmware-sim/city/city-settings.js';
import type { CitySettings } from '../../firmware-sim/city/city-settings.js';
import { CLOSE_SECONDS } from '../../firmware-sim/city/figures.js';
import type { CityFigures, Spread } from '../../firmware-sim/city/figures.js';
import { makeCity } from '../../firmware-sim/city/make-city.js';
import { dayOf } from '../../protocol/time.js';
import { claimEmptyFolder } from '../folder/folder.js';
import { positiveNumber, wholeNumber } from '../terminal/options.js';
import { requireName, requireNew, requireOutside, requireWritableFile } from '../files/output-file.js';
import { count } from '../present/counts.js';
import { dateOf } from '../present/show-retention.js';
import { terminalProgress } from '../terminal/progress.js';
import { stopSignal } from '../terminal/shutdown.js';
import { isDate } from '../terminal/times.js';

interface CityOptions extends Omit<CitySettings, 'firstDay' | 'contactsPerDay'> {
  readonly out: string;
  readonly contactsFile?: string;
  readonly start: number;
  readonly contactsPerDay: number;
}

export function addCityCommand(program: Command): void {
  program
    .command('city')
    .description(
      'make the contacts of a synthetic city: households, schools, work, transit, shops, the street',
    )
    .requiredOption('--people <n>', 'how many people, each with a tag', wholeNumber(2, MAX_PEOPLE))
    .requiredOption('--days <n>', 'how many days', wholeNumber(1, MAX_DAYS))
    .requiredOption('--seed <text>', 'the same seed gives the same city, byte for byte', seedText)
    .requiredOption('--out <dir>', 'a new or empty folder for a file of contact columns a day')
    .option('--contacts-file <file>', 'also as a recording of contacts, lines “t i j”; for small cities')
    .addOption(
      new Option('--start <date>', 'the first day (UTC)')
        .argParser(utcDay)
        .default(DEFAULT_FIRST_DAY, dateOf(DEFAULT_FIRST_DAY)),
    )
    .option(
      '--contacts-per-day <n>',
      'epochs of 15 minutes with somebody, per person and day',
      positiveNumber(MAX_CONTACTS_PER_DAY),
      DEFAULT_CONTACTS_PER_DAY,
    )
    .action((options: CityOptions) => city(options));
}

function seedText(text: string): string {
  if (/^[\x20-\x7e]{1,64}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be 1 to 64 plain characters.');
}

function utcDay(text: string): number {
  if (isDate(text)) return dayOf(Date.parse(`${text}T00:00Z`) / 1000);
  throw new InvalidArgumentError('It must be a date such as 2026-03-02.');
}

async function city({ out, contactsFile, start, ...rest }: CityOptions): Promise<void> {
  const { people, days, seed, contactsPerDay } = rest;
  const settings = { people, days, seed, firstDay: start, contactsPerDay };
  requireCity(settings);
  requireName(out, 'folder');
  if (contactsFile !== undefined) {
    await requireOutside(contactsFile, out);
    await requireWritableFile(contactsFile);
    await requireNew(contactsFile);
  }
  await claimEmptyFolder(out);
  const stop = stopSignal();
  const progress = terminalProgress(process.stderr);
  const expected = expectedContacts(settings);
  const onDay = (done: number, contacts: number) =>
    progress.update(
      `day ${done} of ${days}, ${count(contacts)} of about ${count(expected)} contacts`,
      done / days,
    );
  progress.update(`settling ${count(people)} people`, 0);
  const { signal } = stop;
  try {
    const figures = await makeCity({ settings, dir: out, contactsFile, signal, onDay }).finally(
      progress.done,
    );
    console.log(figureLines(settings, figures).join('\n'));
    console.log(`written to ${out}${contactsFile === undefined ? '' : ` and ${contactsFile}`}`);
  } finally {
    stop.dispose();
  }
}

function figureLines({ people, days }: CitySettings, figures: CityFigures): string[] {
  const { contacts, perPersonAndDay, kinds, sampled } = figures;
  const shares = Object.entries(kinds).map(([kind, share]) => `${kind} ${(100 * share).toFixed(0)} %`);
  const spread = (name: string, { mean, p50, p90, p99, max }: Spread): string =>
    `  ${name.padEnd(22)} mean ${mean.toFixed(1)}, median ${p50}, p90 ${p90}, p99 ${p99}, most ${max}`;
  return [
    `${count(contacts)} contacts of ${count(people)} people in ${days} ${days === 1 ? 'day' : 'days'}`,
    `  ${perPersonAndDay.toFixed(1)} epochs with somebody per person and day: ${shares.join(', ')}`,
    `of ${count(sampled)} people, over all days:`,
    spread('contacts', figures.contactsEach),
    spread('different people', figures.peopleMet),
    spread(`close, ${CLOSE_SECONDS / 60} min in 24 h`, figures.closeContacts),
  ];
}
