/** A gateway of a folder, put together, and the small files it keeps. */
import { readFile } from 'node:fs/promises';
import { openGateway } from '../../gateway/gateway.js';
import type { Gateway } from '../../gateway/gateway.js';
import type { SequenceStore } from '../../gateway/statement-store.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { Signer } from '../../protocol/ed25519.js';
import type { Radio, RadioAddress } from '../../radio/contract.js';
import { writeAtomically } from '../atomic-file.js';
import type { GatewayFolder } from '../folder.js';
import type { PartContext } from './context.js';
import type { Writer } from './writer.js';

/** Numbers taken from disk at a time; a crash skips the rest, which a gap in seq shows. */
const SEQUENCE_STEP = 64;

export interface GatewayGiven {
  readonly signer: Signer;
  readonly certificate: () => Uint8Array;
  readonly radio: Radio;
  readonly writer: Writer;
  readonly address?: RadioAddress;
  readonly maxSessions?: number;
  readonly advertIntervalMs?: number;
  readonly silenceLimitMs?: number;
}

export function startGateway(
  context: PartContext,
  own: GatewayFolder,
  { writer, ...given }: GatewayGiven,
): Promise<Gateway> {
  const { config, clock, log } = context;
  return openGateway({
    ...given,
    clock,
    log,
    issuerPublicKey: config.issuerPublicKey,
    settings: config.settings,
    courier: writer.courier,
    downlink: writer.uplink,
    statements: keptFile(own.statements),
    notice: keptFile(own.notice),
    presence: keptFile(own.presenceKept),
    presenceSequence: sequenceFile(own.presence),
  });
}

/** Bytes that are replaced whole. */
function keptFile(file: string) {
  return {
    load: () => readFile(file).then((bytes) => new Uint8Array(bytes), absent),
    save: (bytes: Uint8Array) => writeAtomically(file, bytes),
  };
}

function sequenceFile(file: string): SequenceStore {
  let next: number | undefined;
  let reserved = 0;
  return {
    async next() {
      next ??= reserved = await readNumber(file);
      if (next >= reserved) {
        reserved = next + SEQUENCE_STEP;
        await writeAtomically(file, `${reserved}\n`);
      }
      return next++;
    },
  };
}

async function readNumber(file: string): Promise<number> {
  const text = await readFile(file, 'latin1').catch(absent);
  if (text === undefined) return 0;
  if (/^\d{1,10}\n$/.test(text)) return Number(text);
  throw new FirebreakError('damaged', `${file} does not hold a number`);
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}
