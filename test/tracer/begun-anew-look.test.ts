/** A store that is begun anew while a question is walked: gateways are numbered anew, and the answer goes by the old numbers. */
import { describe, expect, it } from 'vitest';
import { toHex } from '../../protocol/bytes.js';
import { partyIdOf } from '../../protocol/keys.js';
import { memoryContactStore } from '../../tracer/contacts/open-contact-store.js';
import { presenceView } from '../../tracer/presence/snapshot.js';
import { walkTrace } from '../../tracer/walk/trace-walks.js';
import type { WalkPool } from '../../tracer/walk/walk-pool.js';
import { WalkWorkspace } from '../../tracer/walk/workspace.js';
import {
  gateway,
  gatewayEntry,
  NOON,
  presenceOf,
  presenceReportOf,
  recordOf,
  reportOf,
} from './deployment.js';
import { look, recordingTracer } from './evidence-stage.js';
import { MemoryLog } from './memory-log.js';

const shared = { direction: 'forward', hops: 1, from: 0, to: 2 * NOON, latentSeconds: 0 } as const;
const request = { ...shared, case: '7', minSeconds: 300, presence: true };

/** Walks as ever; then the store proves damaged and is begun anew, and no more comes from the ledger. */
async function stage() {
  const log = new MemoryLog();
  log.append(gatewayEntry());
  log.append(presenceReportOf([presenceOf(7, NOON, 900), presenceOf(8, NOON + 60, 800)]));
  log.append(reportOf({ tag: 7, records: [recordOf(9, NOON, 60)] }));
  const contacts = memoryContactStore();
  const pool: WalkPool = {
    walk: async (view, { request: asked, presence }) => {
      const seen = presence && presenceView(presence);
      const walks = walkTrace(view, asked, new WalkWorkspace(), { presence: seen });
      await contacts.wholly(() => Promise.reject(new Error('damaged'))).catch(() => undefined);
      log.failing = { call: 'checkpoint', error: new Error('away') };
      await tracer.catchUp().catch(() => undefined);
      return walks;
    },
    underWay: new Int32Array(1),
    show: () => undefined,
    status: () => ({ threads: 0, walking: 0, waiting: 0 }),
    close: async () => undefined,
  };
  const tracer = await recordingTracer(log, { contacts, walks: pool });
  return tracer;
}

describe('a store that is begun anew under a question by presence', () => {
  const met = { from: '7', to: '8', gateway: toHex(partyIdOf(gateway.publicKey)) };

  it('leaves a trace its gateways', async () => {
    const { result } = await (await stage()).lookUp(request, look);
    expect(result.reached).toMatchObject([{ person: '8', path: [met] }]);
  });

  it('leaves a path its gateways', async () => {
    const found = await (await stage()).lookUpPath(request, '8', look);
    expect(found.person.path).toMatchObject([met]);
  });
});
