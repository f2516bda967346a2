/** A gateway of a folder, put together, and the small files it keeps. */
import { readFile } from 'node:fs/promises';
import { openGateway } from '../../gateway/gateway.js';
import type { Gateway } from '../../gateway/gateway.js';
import type { Signer } from '../../protocol/crypto/ed25519.js';
import type { Radio, RadioAddress } from '../../radio/contract.js';
import { writeAtomically } from '../files/atomic-file.js';
import { sunsetDayOf } from '../folder/config.js';
import type { GatewayFolder } from '../folder/folder.js';
import { sequenceFile } from '../files/sequence-file.js';
import type { PartContext } from './context.js';
import type { Writer } from './writer.js';

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
    sunsetDay: sunsetDayOf(config),
    courier: writer.courier,
    downlink: writer.uplink,
    statements: keptFile(own.statements),
    noticeStore: keptFile(own.notice),
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

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}
