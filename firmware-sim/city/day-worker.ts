/** A thread that makes days of a city (day-thread.ts is its other end): it settles the people, then a day per message. */
import { parentPort, workerData } from 'node:worker_threads';
import { readContactColumns } from '../../protocol/contact-columns.js';
import type { CitySettings } from './city-settings.js';
import type { DayReady, DayWanted } from './day-messages.js';
import { makeDay } from './day.js';
import { sampleOf } from './figures.js';
import { settlePeople } from './population.js';

const settings = workerData as CitySettings;
const population = settlePeople(settings);

parentPort?.on('message', ({ day }: DayWanted) => {
  const { bytes, ofKind } = makeDay(settings, population, day);
  const columns = readContactColumns(bytes);
  const figures = { count: columns.count, ofKind, sample: sampleOf(columns) };
  parentPort?.postMessage({ day, bytes, figures } satisfies DayReady, [bytes.buffer]);
});
