/** A witness over real HTTP on a folder of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ConnectionLimits } from '../../host/http-server.js';
import { cosignerWithKey, formatCosignerKey, type CosignerWithKey } from '../../protocol/tlog/cosignature.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { silentLog, type Log } from '../../protocol/log.js';
import type { NoteVerifier } from '../../protocol/tlog/note.js';
import { serveWitnessHttp } from '../../witness/http.js';
import { beginState, openStateFolder } from '../../witness/state-folder.js';
import type { WitnessState } from '../../witness/state.js';
import { openWitness } from '../../witness/witness.js';
import { logSigner } from './log-views.js';

export const cosignerNamed = (name: string): CosignerWithKey =>
  cosignerWithKey(`witness.example/${name}`, fastSigner(sha256(Buffer.from(`witness ${name}`))));

export interface RunningWitness {
  readonly name: string;
  readonly cosigner: CosignerWithKey;
  readonly url: string;
  readonly dir: string;
  /** POSTs an add-checkpoint body. */
  readonly post: (body: string | Uint8Array) => Promise<Response>;
  /** May be called twice. */
  readonly stop: () => Promise<void>;
}

export interface WitnessChanges {
  readonly dir?: string;
  readonly logs?: readonly NoteVerifier[];
  readonly nowSeconds?: () => number;
  readonly port?: number;
  readonly log?: Log;
  readonly limits?: Partial<ConnectionLimits>;
  /** Takes the place of the state in `dir`, which it is given. */
  readonly stateOver?: (state: WitnessState) => WitnessState;
}

export async function temporaryFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-witness-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** Starts a witness of the log of log-views.ts, or of others; it is stopped when the test is over. */
export async function startWitness(name: string, changes: WitnessChanges = {}): Promise<RunningWitness> {
  const { logs = [logSigner], nowSeconds = () => Date.now() / 1000, log = silentLog } = changes;
  const dir = changes.dir ?? (await temporaryFolder());
  const cosigner = cosignerNamed(name);
  for (const { name: origin } of logs) await beginState(dir, origin);
  const { stateOver = (state: WitnessState) => state } = changes;
  const state = stateOver(await openStateFolder(dir));
  const witness = await openWitness({ cosigner, logs, state, nowSeconds, log });
  const http = await serveWitnessHttp({
    witness,
    verifierKey: formatCosignerKey(cosigner),
    port: changes.port ?? 0,
    log,
    ...(changes.limits && { limits: changes.limits }),
  });
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= http.close().then(() => witness.close()));
  onTestFinished(stop);
  return {
    name,
    cosigner,
    url: http.url,
    dir,
    post: (body) => fetch(`${http.url}/add-checkpoint`, { method: 'POST', body }),
    stop,
  };
}
