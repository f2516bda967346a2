/** What an answer says of reports that the ledger has lost or holds damaged. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { clusterAnswerSchema } from '../../tracer/cluster/cluster-message.js';
import { tracerAnswers } from '../../tracer/api/answers.js';
import { contactsAnswer, pathAnswer } from '../../tracer/api/messages.js';
import { Pulse } from '../../tracer/api/pulse.js';
import { askTracer } from '../../tracer/api/client.js';
import { toHex } from '../../protocol/bytes.js';
import { asUnixMs } from '../../protocol/brands.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { FirebreakError } from '../../protocol/errors.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import { encodeGatewayPayload } from '../../protocol/payload/gateway.js';
import type { LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import { silentLog } from '../../protocol/log.js';
import { dayOf } from '../../protocol/time.js';
import { LOCAL, realApi, refusalOf, serve } from './api/stage.js';
import { check, evidenceOf, look, recordingTracer, request, ward } from './evidence-stage.js';
import {
  gatewayEntry,
  issuer,
  NOON,
  presenceOf,
  presenceReportOf,
  recordOf,
  reportOf,
} from './deployment.js';
import { MemoryLog } from './memory-log.js';

/** The ward, where 7 met 1 too: that report is damaged in the ledger, and one of 8 is gone. */
function damagedWard(): { readonly log: MemoryLog; readonly reader: LedgerReader } {
  const log = ward();
  const [bad, gone] = [7, 8].map((tag) => reportOf({ tag, records: [recordOf(1, NOON, 900)] }));
  for (const report of [bad, gone]) if (report) log.append(report);
  if (gone) log.prune(gone.payload);
  return { log, reader: damaging(log, bad?.payload ?? new Uint8Array()) };
}

/** Of a ledger that finds this payload damaged. */
function damaging(log: MemoryLog, payload: Uint8Array): LedgerReader {
  const damaged = toHex(sha256(payload));
  const reader = log.reader();
  const payloads: LedgerReader['payloads'] = async (hashes) => {
    if (hashes.some((hash) => toHex(hash) === damaged))
      throw new FirebreakError('damaged-payload', 'one of them');
    return reader.payloads(hashes);
  };
  return { ...reader, payloads };
}

async function damagedApi() {
  const { log, reader } = damagedWard();
  const tracer = await recordingTracer(log, { reader });
  return tracerAnswers({ tracer, pulse: new Pulse(tracer, () => Date.now()), looksRecorded: () => 0 });
}

const { case: index, hops, minSeconds, latentSeconds } = request;
const open = { case: index, direction: 'forward', hops, minSeconds, latentSeconds } as const;
const cluster = { cases: [{ tag: '3' }, { tag: '4' }], hops, minSeconds, latentSeconds };
const page = { person: '2', from: 0, to: 2 * NOON, minSeconds: 900, limit: 9 };
const lacking = z.object({ result: z.object({ missingReports: z.number() }) });

describe('an answer of a tracer', () => {
  it('says how many reports it lacks, whatever was asked', async () => {
    const { log, reader } = damagedWard();
    const tracer = await recordingTracer(log, { reader });
    expect((await tracer.lookUp(request, look)).result).toMatchObject({ reachedCount: 3, missingReports: 2 });
    const asked = { ...cluster, from: request.from, to: request.to };
    expect((await tracer.lookUpCluster(asked, look)).result).toMatchObject({ missingReports: 2 });
    expect(await tracer.lookUpPath(request, '3', look)).toMatchObject({ as: 'reached', missingReports: 2 });
    expect(await tracer.lookUpContacts(page, look)).toMatchObject({ hasMore: false, missingReports: 2 });
  });

  it('says that it lacks none where all could be read', async () => {
    const tracer = await recordingTracer(ward());
    expect((await tracer.lookUp(request, look)).result).toHaveProperty('missingReports', 0);
    const asked = { ...cluster, from: request.from, to: request.to };
    expect((await tracer.lookUpCluster(asked, look)).result).toHaveProperty('missingReports', 0);
    expect(await tracer.lookUpPath(request, '3', look)).toHaveProperty('missingReports', 0);
    expect(await tracer.lookUpContacts(page, look)).toHaveProperty('missingReports', 0);
  });

  it('has its evidence all the same', async () => {
    const { log, reader } = damagedWard();
    const { result, evidence } = await evidenceOf(await recordingTracer(log, { reader }));
    expect(result.missingReports).toBe(2);
    expect(check(evidence).reached.map(({ person }) => person)).toEqual(['2', '3', '4']);
  });

  it('says that nobody was found, and that a report that could not be read may be why', async () => {
    const { log, reader } = damagedWard();
    const tracer = await recordingTracer(log, { reader });
    const why =
      /: check the number; 2 reports or approvals of gateways could not be read, which may be why; the look is recorded as ledger entry \d+$/;
    await expect(tracer.lookUp({ ...request, case: '7' }, look)).rejects.toThrow(why);
    const question = { person: '7', from: 0, to: NOON, minSeconds: 900, limit: 9 };
    await expect(tracer.lookUpContacts(question, look)).rejects.toThrow(why);
    await expect(tracer.lookUpPath(request, '7', look)).rejects.toThrow(
      /leads to that person; 2 reports or approvals of gateways could not be read, which may be why; the look is recorded as ledger entry \d+$/,
    );
  });
});

describe('an approval of a gateway', () => {
  /** Two gateways saw somebody; the approval of the one is damaged in the ledger, and that of the other is called pruned. */
  function gatewaysOnly(): { readonly log: MemoryLog; readonly reader: LedgerReader } {
    const other = fastSigner(sha256(Buffer.from('another gateway')));
    const approvals = [gatewayEntry(), gatewayEntry(issuer, { of: other })] as const;
    const log = new MemoryLog();
    for (const approval of approvals) log.append(approval);
    log.append(presenceReportOf([presenceOf(1, NOON, 600)]));
    log.append(presenceReportOf([presenceOf(1, NOON, 600)], NOON + 7_200, other));
    const pruned = { day: dayOf(log.nowMs / 1000), prunedAtMs: asUnixMs(log.nowMs + 30 * 86_400_000) };
    log.pruneBy(approvals[1].payload, { ...pruned, prunedBy: 0 }); // as a report would be by the book
    return { log, reader: damaging(log, approvals[0].payload) };
  }

  it('that cannot be read may be why nobody was found', async () => {
    const log = new MemoryLog();
    const approval = gatewayEntry();
    log.append(approval);
    log.append(presenceReportOf([presenceOf(1, NOON, 600)]));
    const tracer = await recordingTracer(log, { reader: damaging(log, approval.payload) });
    await expect(tracer.lookUp(request, look)).rejects.toThrow(
      /; 1 report or approval of a gateway could not be read, which may be why; the look is recorded as ledger entry \d+$/,
    );
  });

  it('that cannot be read is counted and warned of like a report', async () => {
    const { log, reader } = gatewaysOnly();
    const said: string[] = [];
    const tracer = await recordingTracer(log, {
      reader,
      log: { ...silentLog, warn: (words) => void said.push(words), error: (words) => void said.push(words) },
    });
    const { missingPayloads, prunedPayloads, presence } = tracer.status();
    expect([missingPayloads, prunedPayloads]).toEqual([2, 0]);
    expect([...presence.refused]).toEqual([['certificate', 2]]);
    expect(said).toEqual([
      expect.stringMatching(
        /^payloads are damaged in the ledger; those of reports and of approvals of gateways count as missing: /,
      ),
      expect.stringMatching(/^the ledger has lost reports or approvals of gateways, .* ledger fsck /),
    ]);
  });
});

describe('a revocation of a gateway', () => {
  it('that cannot be read is not missing: what the gateway saw before counts', async () => {
    const log = new MemoryLog();
    log.append(gatewayEntry());
    const parts = { salt: new Uint8Array(16), revocation: new Uint8Array(93) };
    const revocation = encodeGatewayPayload({ kind: 'revoked', ...parts });
    log.append({ type: ENTRY_TYPE.gateway, payload: revocation });
    log.append(presenceReportOf([presenceOf(1, NOON, 600)]));
    const tracer = await recordingTracer(log, { reader: damaging(log, revocation) });
    expect(tracer.status()).toMatchObject({ missingPayloads: 0, prunedPayloads: 0 });
    expect(tracer.status().presence).toMatchObject({ opened: 1, refused: new Map() });
  });
});

describe('an answer over HTTP', () => {
  it('carries the number in its JSON, and the client of the folder hands it on', async () => {
    const { post, url } = await serve(await damagedApi());
    const trace = await post('/v1/trace', { purpose: 'ward', request: open });
    expect(lacking.parse(await trace.json()).result.missingReports).toBe(2);
    const several = await post('/v1/cluster', { purpose: 'ward', request: cluster });
    expect(clusterAnswerSchema.parse(await several.json()).result.missingReports).toBe(2);
    const path = await post('/v1/path', { purpose: 'ward', request: { ...open, person: '3' } });
    expect(pathAnswer.parse(await path.json()).missingReports).toBe(2);
    const contacts = await post('/v1/contacts', { purpose: 'ward', request: { person: '2' } });
    expect(contactsAnswer.parse(await contacts.json()).missingReports).toBe(2);
    const { result } = await askTracer(url, LOCAL, { officer: 'Dr. Ada', purpose: 'ward', request: open });
    expect(result.missingReports).toBe(2);
    const nobody = await post('/v1/trace', { purpose: 'ward', request: { ...open, case: '7' } });
    expect(await refusalOf(nobody)).toMatchObject({
      status: 404,
      message: expect.stringContaining('2 reports') as string,
    });
  });

  it('is described with it', async () => {
    const { url } = await serve((await realApi()).api);
    const described = JSON.stringify(await (await fetch(new URL('/openapi.json', url))).json());
    const { paths } = z.object({ paths: z.record(z.string(), z.unknown()) }).parse(JSON.parse(described));
    for (const path of ['/v1/trace', '/v1/path', '/v1/contacts', '/v1/cluster'])
      expect(JSON.stringify(paths[path])).toMatch(/"missingReports":\{[^}]*lost or holds damaged/);
  });
});
