/**
 * `firebreak.json`: the public facts of one deployment, the same on every machine that takes part. It holds no secret.
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { systemReason } from '../../host/system-words.js';
import { FirebreakError } from '../../protocol/errors.js';
import { fromHex } from '../../protocol/bytes.js';
import { dayOf, MAX_CLOCK_STEP_DAYS } from '../../protocol/time.js';
import { writeAtomically } from '../files/atomic-file.js';
import { fieldsOf } from '../terminal/fields.js';
import type { DataFolder } from './folder.js';
import { callOf } from '../terminal/how-called.js';
import { isDate } from '../terminal/times.js';

const FORMAT = 'firebreak-data-1';
/** It stands in every checkpoint twice, and those have their bounds. */
const MAX_ORIGIN_BYTES = 255;
/** Should a step of the clock that is believed be wrong, today and yesterday keep their keys. */
const MIN_RETENTION_DAYS = MAX_CLOCK_STEP_DAYS + 1;
export const MAX_RETENTION_DAYS = 365;

const key = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits')
  .transform(fromHex);

const writer = z.strictObject({
  name: z.string().min(1),
  publicKey: key,
  entryTypes: z.array(z.int().min(1).max(255)),
});

const originName = z
  .string()
  .regex(/^[^\s+]+$/, 'must have no spaces and no plus sign')
  .refine((name) => Buffer.byteLength(name) <= MAX_ORIGIN_BYTES, {
    error: `must not be longer than ${MAX_ORIGIN_BYTES} bytes`,
  });
const sunsetDate = z.string().refine(isDate, { error: 'must be a date such as 2027-06-30' });

const settings = z.strictObject({
  sampleHoldSeconds: z.int().min(1).max(900),
  beaconIntervalMs: z.int().min(100).max(60_000),
  beaconJitter: z.number().min(0).max(0.5),
  attenuationThresholdsDb: z
    .tuple([z.int(), z.int(), z.int()])
    .refine(([immediate, near, medium]) => immediate <= near && near <= medium, {
      error: 'must ascend: up to which dB a contact is immediate, near, medium',
    }),
  rssiFloorDbm: z.int().min(-127).max(0),
  beaconServiceUuid: z.int().min(0).max(0xffff),
  gatewayServiceUuid: z.int().min(0).max(0xffff),
  retentionDays: z
    .int()
    .min(MIN_RETENTION_DAYS, {
      error: `must be at least ${MIN_RETENTION_DAYS}: a clock that goes wrong by ${MAX_CLOCK_STEP_DAYS} days is not noticed, and must not end today or yesterday`,
    })
    .max(MAX_RETENTION_DAYS),
});

const config = z.strictObject({
  format: z.literal(FORMAT),
  origin: originName,
  issuerPublicKey: key,
  auditPublicKey: key,
  logKey: z.string().min(1),
  receiptPublicKey: key,
  writers: z.array(writer),
  settings,
  /** The last day of tracing, UTC: no day key is made, and no credential issued, for a later one. */
  sunset: sunsetDate.optional(),
});

export type Config = z.infer<typeof config>;

/** The first day without keys; undefined in a deployment without a sunset. */
export function sunsetDayOf({ sunset }: Pick<Config, 'sunset'>): number | undefined {
  return sunset === undefined ? undefined : dayOf(Date.parse(`${sunset}T00:00Z`) / 1000) + 1;
}

/** The name of a log, typed on the command line. Throws `usage`. */
export function parseOrigin(text: string): string {
  const { data, error } = originName.safeParse(text);
  if (data !== undefined) return data;
  const why = error?.issues[0]?.message ?? '';
  throw new FirebreakError(
    'usage',
    `--origin ${why}; it is a URL without scheme, such as ledger.example.org/firebreak`,
  );
}

/** A date typed on the command line. Throws `usage`. */
export function parseSunset(text: string): string {
  const parsed = sunsetDate.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new FirebreakError('usage', `--sunset must be a date such as 2027-06-30, not “${text}”`);
}

/** Throws `foreign` for a folder of something else, `damaged` naming the field that does not fit. */
export async function readConfig(folder: DataFolder): Promise<Config> {
  const text = await readFile(folder.config, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw cause.code === 'ENOENT'
      ? new FirebreakError(
          'foreign',
          `${folder.dir} is not a Firebreak folder (it has no firebreak.json): bring firebreak.json from the authority’s folder; for a new deployment make one with ${callOf('authority init')}`,
          { cause },
        )
      : new FirebreakError('permission', `${folder.config} cannot be read: ${systemReason(cause)}`, {
          cause,
        });
  });
  try {
    return fieldsOf(config, folder.config, parseJson(folder.config, text));
  } catch (cause) {
    if (!(cause instanceof FirebreakError) || cause.code !== 'damaged') throw cause;
    throw new FirebreakError('damaged', `${cause.message}: put it back from a copy`, { cause });
  }
}

export async function writeConfig(folder: DataFolder, facts: Omit<Config, 'format'>): Promise<void> {
  const plain = JSON.stringify({ format: FORMAT, ...facts }, hexOfBytes, 2);
  await writeAtomically(folder.config, `${plain}\n`);
}

/** JSON whose text may come from another hand. Throws `damaged` naming the file. */
export function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FirebreakError('damaged', `${file} is not JSON: ${(cause as Error).message}`, { cause });
  }
}

function hexOfBytes(_name: string, value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
}
