/**
 * How fast a tracer takes reports from a ledger: verified, checked, opened, judged, merged. The ledger is memory, so that it
 * is no part of it; reports are real, and every record in them proves a contact. Prints one JSON line a case.
 */
import { availableParallelism } from 'node:os';
import { DAY_SECONDS } from '../protocol/time.js';
import { NOON, recordOf, reportOf } from '../test/tracer/deployment.js';
import { MemoryLog } from '../test/tracer/memory-log.js';
import { tracerOn } from '../test/tracer/tracer-on.js';
import { threadSeconds } from './thread-seconds.js';

interface OpenCase {
  readonly name: string;
  readonly records: number;
  /** Read before anything is measured: code is compiled and threads have started then. */
  readonly warmUp: number;
  readonly reports: number;
}

const CASES: readonly OpenCase[] = [
  { name: 'small', records: 8, warmUp: 4_096, reports: 10_240 },
  { name: 'full', records: 128, warmUp: 512, reports: 1_024 },
];
const THREADS = [0, 1, 2];
const TAGS = 500;
const PEERS = 5_000;

/** The `k`th report of the city: each tag in its turn, each time about others. */
function report(k: number, records: number) {
  const tag = 1 + (k % TAGS);
  return reportOf({
    tag,
    seq: Math.floor(k / TAGS),
    records: Array.from({ length: records }, (_, place) => {
      const peer = TAGS + 1 + ((k * 7 + place * 13) % PEERS);
      return recordOf(peer, NOON - DAY_SECONDS / 2 + ((k * 31 + place * 337) % 80_000), 600);
    }),
  });
}

function logOf({ records, warmUp, reports }: OpenCase): MemoryLog {
  const log = new MemoryLog();
  log.nowMs = (NOON + DAY_SECONDS) * 1000;
  for (let k = 0; k < warmUp + reports; k++) log.append(report(k, records));
  return log;
}

/** The log as it was when it held so many. */
function firstOf(log: MemoryLog, size: number): MemoryLog {
  const first = new MemoryLog();
  first.entries.push(...log.entries.slice(0, size));
  for (const [name, payload] of log.payloads) first.payloads.set(name, payload);
  return first;
}

/** Of this process's main thread, CPU seconds so far. */
const mainSeconds = (): number => threadSeconds().get(String(process.pid)) ?? NaN;

async function run(one: OpenCase, log: MemoryLog, threads: number): Promise<void> {
  const growing = firstOf(log, one.warmUp);
  const tracer = tracerOn(growing, { openThreads: threads });
  await tracer.catchUp();
  growing.entries.push(...log.entries.slice(one.warmUp));
  const [cpu, main, startMs] = [process.cpuUsage(), mainSeconds(), performance.now()];
  await tracer.catchUp();
  const seconds = (performance.now() - startMs) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const micros = (cpuSeconds: number): number => Math.round((cpuSeconds * 1e6) / one.reports);
  const { counts, contacts } = tracer.status();
  if (counts.opened !== one.warmUp + one.reports || counts.forged + counts.unresolved > 0)
    throw new Error('a report was not opened, or a record proves nothing');
  await tracer.close();
  const line = {
    ...{ bench: 'open', case: one.name, threads, cores: availableParallelism() },
    ...{ records: one.records, reports: one.reports, contacts, seconds: Number(seconds.toFixed(2)) },
    reportsPerSecond: Math.round(one.reports / seconds),
    recordsPerSecond: Math.round((one.reports * one.records) / seconds),
    cpuMicrosPerReport: { all: micros((user + system) / 1e6), main: micros(mainSeconds() - main) },
  };
  console.log(JSON.stringify(line));
}

export async function benchOpen(): Promise<void> {
  for (const one of CASES) {
    const log = logOf(one);
    for (const threads of THREADS) await run(one, log, threads);
  }
}
