/**
 * The whole journey: every party a process of its own, on a folder whose clock runs fast; the gateway, the ledger
 * and a tag are killed while they work, and nothing that was acknowledged is lost or doubled.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openAccessRecord } from '../../authority/looks/audit.js';
import { openFolderClock } from '../../cli/days/folder-clock.js';
import { readKeyFile } from '../../cli/files/key-files.js';
import { openFolderReader } from '../../cli/parts/ledger.js';
import { toHex } from '../../protocol/bytes.js';
import type { Clock } from '../../protocol/clock.js';
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import { bytesOf } from '../../protocol/tlog/ledger-reader.js';
import { EPOCH_SECONDS, epochOf } from '../../protocol/time.js';
import type { TraceResult } from '../../tracer/looks/trace-result.js';
import { runFirebreak } from '../cli/firebreak-process.js';
import { allDayKeys, loggedEntries, openLoggedReports } from '../cli/logged-reports.js';
import type { LoggedReport } from '../cli/logged-reports.js';
import { expectAcknowledgedOnce } from './acknowledged.js';
import { newDeployment, untilIn } from './deployment.js';
import type { Deployment } from './deployment.js';
import { approveAndRevoke, warn } from './orders.js';
import { traceOf } from './trace-of.js';

/** An epoch takes ten seconds. */
const CLOCK_RATE = 90;
const TAGS = [1, 2, 3, 4, 5, 6];
/** 1, 2 and 3 stand together, 4 and 5 sixty metres away, 6 on the other side, alone. All reach the gateway in the middle. */
const PLACES = ['0,0', '0.8,0', '0.4,0.6', '60,0', '60.8,0', '-60,0'];
const KILLED_TAG = 3;
const TRIES = 12;
const KILL_LOOK_MS = 2;

let deployment: Deployment;
let clock: Clock;
let dir: string;

const startTag = (number: number) =>
  deployment.start(
    `tag ${number}`,
    ...['tag', 'run', '--number', String(number), `--place=${PLACES[number - 1]}`],
  );
const startGateway = () => deployment.start('gateway', 'gateway', 'run', '--place', '0,5');
const wait = <T>(what: string, look: () => T | undefined | Promise<T | undefined>, everyMs?: number) =>
  untilIn(deployment, what, look, everyMs);

const uploading = () => TAGS.filter((number) => deployment.tag(number)?.chain.outstanding !== undefined);
const receipted = () => TAGS.map((number) => deployment.tag(number)?.chain.nextSeq ?? 0);

/** Kills the gateway while a tag has a report on its way to it; the tag is still without a receipt afterwards. */
async function killGatewayInMidUpload(): Promise<void> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    await wait('an upload', () => uploading().length > 0, KILL_LOOK_MS);
    await deployment.kill('gateway');
    const cutOff = uploading();
    await startGateway().up;
    if (cutOff.length > 0) return;
  }
  throw new Error('no kill of the gateway hit an upload');
}

/** Kills the ledger when the gateway has just receipted a report; that report is still in the gateway's spool then. */
async function killLedgerInMidUpload(): Promise<void> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const before = receipted().join();
    await wait('a report at the gateway', () => receipted().join() !== before, KILL_LOOK_MS);
    await deployment.kill('ledger');
    const { courier } = await wait('the gateway to notice', async () => {
      const status = await deployment.gatewayStatus();
      return status.courier.online ? undefined : status;
    });
    await deployment.start('ledger', 'ledger', 'run').up;
    if (courier.depth > 0) return;
  }
  throw new Error('no kill of the ledger hit a delivery');
}

/** Those of the epoch before are closed 120 s after its end. */
const isOpenHere = ({ open, timeMs }: { readonly open: number; readonly timeMs: number }): boolean =>
  open >= 2 &&
  (timeMs / 1000) % EPOCH_SECONDS > 150 &&
  epochOf(timeMs / 1000) === epochOf(clock.nowMs() / 1000);

/** Kills a tag that has encounters of this epoch under way, and starts it again. Gives when they were, and the epoch. */
async function killTagWithOpenRecords(): Promise<{ readonly seconds: number; readonly epoch: number }> {
  const seconds = await wait('open encounters', async () => {
    const status = await deployment.tagStatus(KILLED_TAG);
    return isOpenHere(status) ? status.timeMs / 1000 : undefined;
  });
  await deployment.kill(`tag ${KILLED_TAG}`);
  await startTag(KILLED_TAG).up;
  return { seconds, epoch: epochOf(seconds) };
}

/** Everything closed so far is with the gateway, and from there in the ledger. */
async function quiet(): Promise<boolean> {
  const statuses = await Promise.all(TAGS.map((number) => deployment.tagStatus(number)));
  const { courier } = await deployment.gatewayStatus();
  return courier.online && courier.depth === 0 && statuses.every(({ waiting }) => waiting === 0);
}

/** What the running authority answers a tag that asks, while it runs, who looked at it. */
async function rolesOf(tag: number): Promise<readonly string[]> {
  const asked = ['audit', '--data-dir', join(dir, 'data'), '--tag', String(tag), '--json'];
  const { code, stdout, stderr } = await runFirebreak(...asked);
  expect(code, stderr).toBe(0);
  const { looks } = JSON.parse(stdout) as { readonly looks: readonly { readonly role: string }[] };
  return looks.map(({ role }) => role);
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'firebreak-journey-'));
  deployment = await newDeployment(join(dir, 'data'), '2026-03-02T08:00', CLOCK_RATE);
  clock = await openFolderClock(deployment.folder);
  const started = [
    deployment.start('ledger', 'ledger', 'run'),
    deployment.start('air', 'air', 'run'),
    deployment.start('authority', 'authority', 'run'),
    startGateway(),
    deployment.start('tracer', 'tracer', 'run'),
    ...TAGS.map(startTag),
  ];
  await Promise.all(started.map(({ up }) => up));
});

afterAll(async () => {
  await deployment?.killAll();
  await rm(dir, { recursive: true, force: true });
});

describe('a deployment of separate processes', () => {
  it('keeps every acknowledged report exactly once, whoever is killed in the middle of it', async () => {
    const tagKill = await killTagWithOpenRecords();
    await killGatewayInMidUpload();
    await wait('a report of every tag', () => receipted().every((count) => count > 0));
    await killLedgerInMidUpload();
    await wait('a second report of every tag', () => receipted().every((count) => count > 1));
    await wait('all to be delivered', quiet);
    const ward = await traceOf(dir, 1);
    const pair = await traceOf(dir, 4);
    expect(await rolesOf(2)).toEqual(['reached']);
    expect(await rolesOf(4)).toEqual(['case']);
    await warn(deployment, 2, 7);
    await approveAndRevoke(deployment, 'hub-2');
    await wait('all to be delivered', quiet);
    expect(deployment.said()).not.toContain('ERROR');
    const ended = await deployment.stopAll();
    for (const [name, how] of ended) expect(how, name).toEqual({ code: 0, signal: null });
    expect(ended.size).toBe(5 + TAGS.length);

    const verified = await runFirebreak('ledger', 'verify', '--data-dir', deployment.folder.dir);
    expect(verified, verified.stderr).toMatchObject({ code: 0 });

    const { folder, config } = deployment;
    const reader = await openFolderReader(folder, config);
    const entries = await loggedEntries(reader, config);
    const reports = await openLoggedReports(reader, entries, await allDayKeys(folder));
    expectAcknowledgedOnce(deployment, TAGS, reports);
    expectOpenRecordSurvived(reports, tagKill);

    expect(ward.result.reached.map(({ person }) => person).sort()).toEqual(['2', '3']);
    expect(pair.result.reached.map(({ person }) => person)).toEqual(['5']);
    expectEvidence([ward.result, pair.result], reports);

    const access = entries[ward.entry];
    expect(access?.type).toBe(ENTRY_TYPE.access);
    if (access === undefined) return;
    const [payload] = await reader.payloads([access.payloadSha256]);
    const { part } = openAccessRecord(
      access,
      bytesOf(payload) ?? new Uint8Array(0),
      await readKeyFile(folder.authority.auditKey),
    );
    expect(part.asked).toMatchObject({
      officer: 'Dr Journey',
      purpose: 'a rehearsal',
      cases: [1],
      reachedCount: 2,
    });
    expect([...part.tags]).toEqual([2, 3]);
    await reader.close();
  });
});

/** Both neighbours of the killed tag are in its records of that epoch, from before it was killed. */
function expectOpenRecordSurvived(
  reports: readonly LoggedReport[],
  { seconds, epoch }: { readonly seconds: number; readonly epoch: number },
): void {
  const records = reports
    .filter(({ tag }) => tag === KILLED_TAG)
    .flatMap(({ plaintext }) => plaintext.records)
    .filter(({ start }) => epochOf(start) === epoch && start < seconds);
  expect(new Set(records.map(({ peerEphId }) => toHex(peerEphId))).size).toBeGreaterThanOrEqual(2);
}

function expectEvidence(traces: readonly TraceResult[], reports: readonly LoggedReport[]): void {
  const byIndex = new Map(reports.map((report) => [report.index, report]));
  for (const step of traces.flatMap(({ reached }) => reached.flatMap(({ path }) => path))) {
    expect(step.ledger.length).toBeGreaterThan(0);
    for (const index of step.ledger) {
      const report = byIndex.get(index);
      const pair = [Number(step.from), Number(step.to)];
      const other = pair.find((tag) => tag !== report?.tag);
      expect(pair).toContain(report?.tag);
      expect(report?.peers.has(other ?? -1)).toBe(true);
    }
  }
}
