/** Evidence of presence of many steps, among the reports of many gateways: others have their turns, and it can be called off. */
import { describe, expect, it } from 'vitest';
import { asTreeSize } from '../../protocol/brands.js';
import { toHex } from '../../protocol/bytes.js';
import { MAX_REPORTS } from '../../protocol/evidence/logged.js';
import { DAY_SECONDS, dayOf } from '../../protocol/time.js';
import { citePresence } from '../../tracer/evidence/cite-presence.js';
import { ReportPlaces } from '../../tracer/presence/report-places.js';
import type { PathStep } from '../../tracer/looks/trace-result.js';
import { Turns } from '../../tracer/turns.js';
import { dayKeys, NOON, presenceOf, presenceReportOf } from './deployment.js';
import { MemoryLog } from './memory-log.js';

const GATEWAYS = 500;
const ROWS = 200_000;
const gatewayId = (n: number): Uint8Array => new Uint8Array(16).fill(n & 255, 0, 4).fill(n >> 8, 4);

/** Asks for a turn wherever one is offered, and counts. */
class EveryTurn extends Turns {
  count = 0;

  override get isOver(): boolean {
    return true;
  }

  override async next(): Promise<void> {
    this.count += 1;
    await super.next();
  }
}

/** A report of each gateway for each quarter of an hour, the last ones at noon. */
function manyPlaces(): ReportPlaces {
  const places = new ReportPlaces();
  for (let row = 0; row < ROWS; row++) {
    const from = NOON - 900 * Math.floor((ROWS - 1 - row) / GATEWAYS);
    const told = { day: dayOf(from), gatewayId: gatewayId(row % GATEWAYS), ledgerIndex: row };
    places.add(told, from, from + 600);
  }
  return places;
}

/** Each at its own quarter of an hour of some gateway. */
const stepAt = (gateway: Uint8Array, start: number): PathStep => ({
  ...{ from: '1', to: '2', start, end: start + 600, nearSeconds: 0, mutual: false, ledger: [] },
  gateway: toHex(gateway),
});

function citing(
  steps: readonly PathStep[],
  places: ReportPlaces,
  log: MemoryLog,
  turns: Turns,
  dayKeysOf = dayKeys,
) {
  const gateways = { certificateAt: () => undefined };
  const from = { view: { keepFrom: 0 }, presence: { places: places.view(), gateways } };
  const deps = { reader: log.reader(), dayKeysOf, sampleHoldSeconds: 30 };
  const checkpoint = { origin: 'log', size: asTreeSize(log.entries.length), root: new Uint8Array(32) };
  return citePresence(steps, from, deps, { checkpoint, names: new Map(), turns });
}

describe('evidence of presence in a large answer', () => {
  const places = manyPlaces();
  const steps = Array.from({ length: 3_000 }, (_, k) =>
    stepAt(gatewayId(k % GATEWAYS), NOON - 900 * Math.floor(k / GATEWAYS)),
  );

  it('gives others their turns while it looks for reports, and ends when it is called off', async () => {
    const abort = new AbortController();
    const turns = new (class extends EveryTurn {
      override async next(): Promise<void> {
        if (this.count === 20) abort.abort(new Error('called off'));
        await super.next();
      }
    })(abort.signal);
    const log = new MemoryLog().fill(1);
    await expect(citing(steps, places, log, turns)).rejects.toThrow('called off');
    expect(turns.count).toBe(21);
    expect(log.calls).toEqual([]);
  });

  it('stops at the first report that is too many', async () => {
    const turns = new EveryTurn();
    const log = new MemoryLog().fill(1);
    const hour = (k: number): number => NOON - DAY_SECONDS + 900 * (k % 96);
    const all = Array.from({ length: GATEWAYS * 96 }, (_, k) => stepAt(gatewayId(k % GATEWAYS), hour(k)));
    await expect(citing(all, places, log, turns)).rejects.toMatchObject({ code: 'size' });
    expect(turns.count).toBeGreaterThanOrEqual(MAX_REPORTS);
    expect(turns.count).toBeLessThan(MAX_REPORTS + ROWS / 4_096);
    expect(log.calls).toEqual([]);
  });

  it('opens one report at a time', async () => {
    const log = new MemoryLog();
    const few = new ReportPlaces();
    const reports = 12;
    for (let k = 0; k < reports; k++) {
      log.append(presenceReportOf([presenceOf(9, NOON + k, 60)], NOON + 1_020));
      few.add({ day: dayOf(NOON), gatewayId: gatewayId(1), ledgerIndex: k }, NOON + k, NOON + 90);
    }
    const turns = new EveryTurn();
    const at: number[] = [];
    const dayKeysOf = (day: number) => {
      at.push(turns.count);
      return dayKeys(day);
    };
    const made = citing([stepAt(gatewayId(1), NOON)], few, log, turns, dayKeysOf);
    await expect(made).rejects.toMatchObject({ code: 'not-found' });
    expect(new Set(at.slice(0, reports)).size).toBe(reports);
  });
});
