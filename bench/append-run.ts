/** One run of the append bench in a process of its own: `append-run SYSTEM DIR BATCH COUNT`, the figures as JSON on stdout. */
import { randomFillSync } from 'node:crypto';

/** A log that is durable when `append` resolves. */
export interface Appender {
  append(payloads: readonly Uint8Array[]): Promise<void>;
  length(): number;
  close(): Promise<void>;
}

export interface AppendFigures {
  readonly entriesPerSecond: number;
  readonly cpuMicrosPerEntry: number;
  readonly p99Ms: number;
}

const PAYLOAD_BYTES = 250;
const WARM_UP = 0.2;

function freshPayloads(batch: number): Uint8Array[] {
  const bytes = randomFillSync(Buffer.allocUnsafe(batch * PAYLOAD_BYTES));
  return Array.from({ length: batch }, (_, i) => bytes.subarray(i * PAYLOAD_BYTES, (i + 1) * PAYLOAD_BYTES));
}

/** Batches one after the other, each durable before the next begins; payloads are made outside of the time. */
async function timeAppends(appender: Appender, batch: number, count: number): Promise<AppendFigures> {
  for (let i = 0; i < count * WARM_UP; i++) await appender.append(freshPayloads(batch));
  const batches = Array.from({ length: count }, () => freshPayloads(batch));
  const before = appender.length();
  const took: number[] = [];
  const cpu = process.cpuUsage();
  for (const payloads of batches) {
    const startMs = performance.now();
    await appender.append(payloads);
    took.push(performance.now() - startMs);
  }
  const { user, system } = process.cpuUsage(cpu);
  const entries = appender.length() - before;
  if (entries !== batch * count) throw new Error(`${entries} entries appended, not ${batch * count}`);
  const totalMs = took.reduce((sum, ms) => sum + ms, 0);
  took.sort((a, b) => a - b);
  return {
    entriesPerSecond: Math.round((entries / totalMs) * 1000),
    cpuMicrosPerEntry: Number(((user + system) / entries).toFixed(2)),
    p99Ms: Number((took[Math.floor(took.length * 0.99)] ?? 0).toFixed(2)),
  };
}

const [, , system = '', dir = '', batch = '', count = ''] = process.argv;
const open =
  system === 'hypercore'
    ? (await import('./append-hypercore.js')).openHypercore
    : (await import('./append-ours.js')).openOurs;
const appender = await open(dir);
console.log(JSON.stringify(await timeAppends(appender, Number(batch), Number(count))));
await appender.close();
