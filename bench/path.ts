/**
 * Where the time goes between a tag's first beacon and an officer's answer. One stage after the other: what gateways send
 * is held back until the tags are done, so that no stage hides in another's shadow. Everything is real but the air.
 */
import { setMaxListeners } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDeployment } from '../cli/folder/deployment.js';
import { walkPath } from '../cli/demo/path.js';
import type { PathOutcome } from '../cli/demo/path.js';
import { chooseSubject } from '../cli/demo/subject.js';
import type { Subject } from '../cli/demo/subject.js';
import { folderAt } from '../cli/folder/folder.js';
import type { Uplink } from '../courier/uplink.js';
import { silentLog } from '../protocol/log.js';
import { REPLAY_SETTINGS } from '../protocol/settings.js';

interface Stage {
  readonly name: string;
  readonly ms: number;
  readonly reports: number | undefined;
}

export async function benchPath(contactsFile?: string): Promise<void> {
  const subject = await chooseSubject(contactsFile, undefined);
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-bench-'));
  const gate = uplinkGate();
  try {
    const folder = folderAt(dir);
    const outcome = await walkPath({
      folder,
      config: await createDeployment(folder, { settings: REPLAY_SETTINGS }),
      recording: subject.recording,
      log: silentLog,
      signal: neverStopped(),
      onProgress: () => {},
      gatewayUplink: gate.through,
      beforeDelivery: gate.open,
    });
    const traceMs = await timeTrace(outcome, subject);
    await outcome.close();
    print(subject, stagesOf(outcome, traceMs));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function timeTrace({ tracer }: PathOutcome, { caseTag, recording }: Subject): Promise<number> {
  const window = { from: recording.startMs / 1000, to: recording.endMs / 1000 };
  const request = {
    case: caseTag,
    direction: 'forward',
    hops: 3,
    ...window,
    minSeconds: 900,
    latentSeconds: 0,
  } as const;
  const started = performance.now();
  await tracer.lookUp(request, { officer: 'bench', purpose: 'measurement' });
  return performance.now() - started;
}

function stagesOf({ fleet, stageMs }: PathOutcome, traceMs: number): Stage[] {
  const { reports, enrolMs, airMs, sessionMs } = fleet;
  return [
    { name: 'enrolment: epoch keys and credentials', ms: enrolMs, reports: undefined },
    { name: 'air: beacons, encounters, day changes', ms: airMs, reports: undefined },
    { name: 'sessions: seal, check, spool, receipt', ms: sessionMs, reports },
    { name: 'relay: MQTT, admission, log, receipt', ms: stageMs.delivery, reports },
    { name: 'tracer: verify, open, merge', ms: stageMs.reading, reports },
    { name: 'trace: walk, record the look, answer', ms: traceMs, reports: undefined },
  ];
}

function print({ recording, source }: Subject, stages: readonly Stage[]): void {
  const total = stages.reduce((sum, { ms }) => sum + ms, 0);
  console.log(`${recording.persons.length} people, ${recording.lines} lines of contact from ${source}`);
  for (const { name, ms, reports } of [...stages, { name: 'all', ms: total, reports: stages[2]?.reports }]) {
    const perSecond =
      reports === undefined ? '' : `${Math.round(reports / (ms / 1000))} reports/s`.padStart(18);
    console.log(`${name.padEnd(42)}${(ms / 1000).toFixed(2).padStart(8)} s${perSecond}`);
  }
  console.log(`peak memory ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`);
}

/** Lets nothing through until it is opened; receipts and subscriptions pass. */
function uplinkGate() {
  let isOpen = false;
  const waiting: (() => void)[] = [];
  const through = (uplink: Uplink): Uplink => ({
    get isOnline() {
      return isOpen && uplink.isOnline;
    },
    get trouble() {
      return uplink.trouble;
    },
    publishBatch: (batch) => uplink.publishBatch(batch),
    publishRetained: (topic, payload) => uplink.publishRetained(topic, payload),
    publishStatus: (status) => uplink.publishStatus(status),
    onReceipt: (listener) => uplink.onReceipt(listener),
    subscribe: (topic, listener) => uplink.subscribe(topic, listener),
    onOnline: (listener) => {
      waiting.push(listener);
      uplink.onOnline(() => isOpen && listener());
    },
    close: () => uplink.close(),
  });
  const open = (): void => {
    isOpen = true;
    for (const listener of waiting) listener();
  };
  return { through, open };
}

/** Every session of a fleet listens to it while it lasts, which Node would warn of. */
function neverStopped(): AbortSignal {
  const { signal } = new AbortController();
  setMaxListeners(0, signal);
  return signal;
}
