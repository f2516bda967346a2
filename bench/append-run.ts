/**
 * One run of the append bench in a process of its own: `append-run SYSTEM DIR BATCH COUNT SEED`, what it came to as JSON on
 * stdout. SEED, 16 bytes in hex, makes the payloads: two systems with the same one append the same.
 */
import { createCipheriv, createHash } from 'node:crypto';

/** A log that is durable when `append` resolves. */
export interface Appender {
  append(payloads: readonly Uint8Array[]): Promise<void>;
  length(): number;
  /** The payload of an entry, read from the log. */
  read(index: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

export interface AppendFigures {
  readonly entriesPerSecond: number;
  readonly cpuMicrosPerEntry: number;
  readonly p99Ms: number;
}

export interface AppendRun extends AppendFigures {
  /** Of the payloads of {@link READ_BACK} entries, read from the log after the appends, one after the other. */
  readonly readBackSha256: string;
}

const PAYLOAD_BYTES = 250;
const WARM_UP = 0.2;
/** Entries that are read back, evenly spread, the first and the last among them. */
const READ_BACK = 256;

/** Gives one batch of payloads after another: an AES-CTR stream of the seed. */
function payloadsFrom(seed: string, batch: number): () => Uint8Array[] {
  const stream = createCipheriv('aes-128-ctr', Buffer.from(seed, 'hex'), Buffer.alloc(16));
  return () => {
    const bytes = stream.update(Buffer.alloc(batch * PAYLOAD_BYTES));
    return Array.from({ length: batch }, (_, i) =>
      bytes.subarray(i * PAYLOAD_BYTES, (i + 1) * PAYLOAD_BYTES),
    );
  };
}

interface Plan {
  readonly batch: number;
  readonly count: number;
  readonly seed: string;
}

/** Batches one after the other, each durable before the next begins; payloads are made outside of the time. */
async function timeAppends(appender: Appender, { batch, count, seed }: Plan): Promise<AppendFigures> {
  const next = payloadsFrom(seed, batch);
  for (let i = 0; i < count * WARM_UP; i++) await appender.append(next());
  const batches = Array.from({ length: count }, next);
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

async function readBack(appender: Appender): Promise<string> {
  const hash = createHash('sha256');
  const last = appender.length() - 1;
  for (let i = 0; i < READ_BACK; i++)
    hash.update(await appender.read(Math.round((last * i) / (READ_BACK - 1))));
  return hash.digest('hex');
}

const [, , system = '', dir = '', batch = '', count = '', seed = ''] = process.argv;
const open =
  system === 'hypercore'
    ? (await import('./append-hypercore.js')).openHypercore
    : (await import('./append-ours.js')).openOurs;
const appender = await open(dir);
const figures = await timeAppends(appender, { batch: Number(batch), count: Number(count), seed });
const run: AppendRun = { ...figures, readBackSha256: await readBack(appender) };
console.log(JSON.stringify(run));
await appender.close();
