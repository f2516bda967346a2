/** Health and figures, of a tracer that is well and of one that is not. */
import { describe, expect, it } from 'vitest';
import type { TracerApi } from '../../../tracer/api/contract.js';
import { healthOf } from '../../../tracer/api/health.js';
import { healthAnswer } from '../../../tracer/api/messages.js';
import { Pulse } from '../../../tracer/api/pulse.js';
import { askHealth } from '../../../tracer/api/client.js';
import { gatewayEntry, NOON, presenceOf, presenceReportOf, recordOf, reportOf } from '../deployment.js';
import { recordingTracer, ward } from '../evidence-stage.js';
import { OPERATOR, realApi, serve } from './stage.js';

const request = { case: '1', direction: 'forward', hops: 3, minSeconds: 900, latentSeconds: 0 };
const MEMORY = { rss: 3, heapUsed: 2, arrayBuffers: 1 };
const NOW = 1_790_000_000_000;

describe('health', () => {
  it('tells what a tracer holds, how far behind it is and when the ledger answered', async () => {
    const { api, log } = await realApi();
    const { get } = await serve(api);
    const response = await get('/v1/health');
    const health = healthAnswer.parse(await response.json());
    expect(response.status).toBe(200);
    expect(health).toMatchObject({
      well: true,
      problems: [],
      behind: 0,
      entries: log.entries.length,
      people: 6,
    });
    expect(Math.abs((health.ledgerSeenAt ?? 0) - Date.now() / 1000)).toBeLessThan(60);
    expect(health.memoryBytes.resident).toBeGreaterThan(health.memoryBytes.heap / 2);
  });

  it('is 503 once the ledger has been silent for long', async () => {
    const { api } = await realApi();
    const { get, url } = await serve(api, { nowMs: () => Date.now() + 120_000 });
    const response = await get('/v1/health');
    expect(response.status).toBe(503);
    const asked = await askHealth(url, OPERATOR);
    expect(asked.well).toBe(false);
    await expect(askHealth(url, 'no token')).rejects.toThrow('token');
    const { well, problems } = healthAnswer.parse(await response.json());
    expect(well).toBe(false);
    expect(problems).toEqual([expect.stringMatching(/^the ledger has not answered for 1[12]\d seconds$/)]);
  });

  const health = (standing: Partial<ReturnType<TracerApi['standing']>>) =>
    healthOf(
      {
        standing: () => ({
          ...{
            followsSinceMs: NOW,
            ledgerSeenMs: NOW,
            grewMs: NOW,
            behind: 0,
            readOnMs: NOW,
            failure: undefined,
          },
          ...standing,
        }),
        figures: () => ({
          ...{ entries: 1, contacts: 2, people: 3, refusedReports: new Map() },
          ...{
            heldBackDays: 0,
            waitingReports: 0,
            reportsWithoutRoom: 0,
            missingReports: 0,
            ...{ clones: 0, reportGaps: 0, forgedRecords: { tag: 0, gateway: 0 } },
            presenceReports: { opened: 0, records: 0, refused: new Map<string, number>() },
            presenceDropped: 0,
            presenceFrom: 0,
            warnings: [],
          },
        }),
      },
      MEMORY,
      NOW + 90_000,
    );

  it.each([
    ['an answer a minute and a half ago', {}, 0],
    ['one before that', { ledgerSeenMs: NOW - 1 }, 1],
    ['none since it follows', { ledgerSeenMs: undefined, followsSinceMs: NOW - 1 }, 1],
    ['none yet, and it has just begun', { ledgerSeenMs: undefined }, 0],
    ['ten thousand entries to take in', { behind: 10_000 }, 0],
    ['more than that', { behind: 10_001 }, 1],
    ['a reading that failed, and none that went well since', { readOnMs: NOW - 1, failure: 'its disk' }, 1],
    ['one that failed, and it reads for the first time', { readOnMs: undefined, failure: 'its disk' }, 0],
    ['one that failed, soon after one that went well', { failure: 'its disk' }, 0],
    ['nothing taken in for long, with no failure', { readOnMs: NOW - 1 }, 0],
    ['both', { behind: 10_001, ledgerSeenMs: 0 }, 2],
  ])('of a tracer with %s', (_what, standing, problems) => {
    expect(health(standing).problems.length).toBe(problems);
    expect(health(standing).well).toBe(problems === 0);
  });

  it('knows how far a tracer is behind while it reads on, and when the ledger went away', async () => {
    const log = ward();
    const tracer = await recordingTracer(log);
    let now = NOW;
    const pulse = new Pulse(tracer, () => now);
    const none = { grewMs: undefined, readOnMs: undefined, failure: undefined };
    expect(pulse.standing()).toEqual({ followsSinceMs: NOW, ledgerSeenMs: undefined, behind: 0, ...none });
    log.fill(600, 3);
    const behind: number[] = [];
    now += 5;
    await pulse.catchUp(() => void behind.push(pulse.standing().behind));
    expect(behind.length).toBeGreaterThan(1);
    expect(behind[0]).toBeGreaterThan(200);
    expect(behind.at(-1)).toBe(0);
    now += 5;
    await pulse.catchUp();
    expect(pulse.standing()).toMatchObject({ ledgerSeenMs: now, grewMs: NOW + 5, readOnMs: now });
    log.failing = { call: 'checkpoint', error: new Error('away') };
    await expect(pulse.catchUp()).rejects.toThrow('away');
    expect(pulse.standing()).toEqual({
      ...{ followsSinceMs: NOW, ledgerSeenMs: now, grewMs: NOW + 5, behind: 0, readOnMs: now },
      failure: expect.stringContaining('its log') as string,
    });
  });
});

/** The value of a line that begins with these words. */
const valueOf = (text: string, line: string): number =>
  Number(
    text
      .split('\n')
      .find((one) => one.startsWith(`${line} `))
      ?.split(' ')
      .at(-1) ?? NaN,
  );

describe('metrics', () => {
  it('count looks, traces, refusals and requests, and tell how the tracer stands', async () => {
    const { api, log } = await realApi();
    const { get, post } = await serve(api);
    await post('/v1/trace', { purpose: 'p', request });
    await post('/v1/trace', { purpose: 'p', request: { ...request, case: '151525' } });
    await post('/v1/trace', { purpose: 'p' });
    const response = await get('/metrics');
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    const { contacts, people } = api.figures();
    expect(valueOf(text, 'firebreak_contacts')).toBe(contacts);
    expect(valueOf(text, 'firebreak_people')).toBe(people);
    expect(valueOf(text, 'firebreak_entries_followed')).toBe(log.entries.length - 1); // the second look came after it
    expect(valueOf(text, 'firebreak_entries_behind')).toBe(0);
    expect(valueOf(text, 'firebreak_ledger_seen_seconds')).toBeLessThan(60);
    expect(valueOf(text, 'firebreak_read_on_seconds')).toBeLessThan(60);
    expect(valueOf(text, 'firebreak_looks_recorded_total')).toBe(2);
    expect(valueOf(text, 'firebreak_trace_seconds_count{direction="forward"}')).toBe(1);
    expect(valueOf(text, 'firebreak_api_refusals_total{code="not-found"}')).toBe(1);
    expect(valueOf(text, 'firebreak_api_refusals_total{code="input"}')).toBe(1);
    const requests = 'firebreak_http_requests_total{method="POST",route="/v1/trace"';
    expect(valueOf(text, `${requests},status="200"}`)).toBe(1);
    expect(valueOf(text, `${requests},status="404"}`)).toBe(1);
    expect(valueOf(text, 'firebreak_questions_working')).toBe(0);
    expect(valueOf(text, 'process_resident_memory_bytes')).toBeGreaterThan(0);
    expect(text).toContain('nodejs_eventloop_lag_p99_seconds');
  });

  it('count refused reports by their reason', async () => {
    const { api } = await realApi();
    const refusedReports = new Map([['report-signature', 4]]);
    const { get } = await serve({ ...api, figures: () => ({ ...api.figures(), refusedReports }) });
    await get('/metrics');
    const text = await (await get('/metrics')).text();
    expect(valueOf(text, 'firebreak_reports_refused_total{code="report-signature"}')).toBe(4);
  });

  it('tell what somebody should look into, each under its own name', async () => {
    const { api } = await realApi();
    const kept = {
      ...{ heldBackDays: 11, waitingReports: 12, reportsWithoutRoom: 13, missingReports: 14 },
      ...{ presenceDropped: 15, presenceFrom: 1_790_000_016 },
    };
    const { get } = await serve({ ...api, figures: () => ({ ...api.figures(), ...kept }) });
    const text = await (await get('/metrics')).text();
    const names = [
      ...['retention_held_days', 'reports_waiting', 'reports_without_room', 'reports_missing'],
      ...['presence_dropped', 'presence_from_seconds'],
    ];
    expect(names.map((name) => valueOf(text, `firebreak_${name}`))).toEqual(Object.values(kept));
  });

  it('count what is set apart of reports, and presence; health says it too, and what clones mean', async () => {
    const log = ward();
    const forged = recordOf(2, NOON, 900);
    const nobodys = { minuteOffset: 0, mac: new Uint8Array(6) };
    log.append(reportOf({ tag: 1, records: [recordOf(4, NOON, 900)] })); // the ward has another of this tag and number
    log.append(
      reportOf({
        tag: 9,
        seq: 5,
        prev: new Uint8Array(32).fill(3),
        records: [{ ...forged, proofA: nobodys, proofB: nobodys }],
      }),
    );
    log.append(presenceReportOf([presenceOf(1, NOON, 300)]));
    log.append(gatewayEntry());
    const seen = presenceOf(2, NOON, 300);
    log.append(presenceReportOf([presenceOf(1, NOON, 300), { ...seen, proofA: nobodys, proofB: nobodys }]));
    const { api } = await realApi(log);
    const { get, url } = await serve(api);
    await get('/metrics');
    const text = await (await get('/metrics')).text();
    const value = (line: string): number => valueOf(text, `firebreak_${line}`);
    expect(value('clones_total')).toBe(1);
    expect(value('report_gaps')).toBe(1);
    expect(value('forged_records_total{heard_by="tag"}')).toBe(1);
    expect(value('forged_records_total{heard_by="gateway"}')).toBe(1);
    expect(value('presence_reports_refused_total{code="certificate"}')).toBe(1);
    expect([value('presence_reports_opened_total'), value('presence_records_total')]).toEqual([1, 2]);
    const said = await askHealth(url, OPERATOR);
    expect(said).toMatchObject({ clones: 1, reportGaps: 1, forgedRecords: 2, refusedPresenceReports: 1 });
    expect(said.warnings).toEqual([
      expect.stringMatching(
        /^one tag sent different reports under one number: .* firebreak tracer doubts --data-dir DIR lists them/,
      ),
    ]);
    expect(said.well).toBe(true);
    const { clones, reportGaps, forgedRecords, refusedPresenceReports, ...before } = said; // a tracer from before there were any
    expect([clones, reportGaps, forgedRecords, refusedPresenceReports]).not.toContain(undefined);
    expect(healthAnswer.parse(before)).toEqual(before);
  });

  it('name no person, no officer and no path that somebody made up', async () => {
    const { api } = await realApi();
    const { get, post } = await serve(api);
    await post('/v1/path', {
      officer: 'Dr. Wu',
      purpose: 'ward',
      request: { ...request, case: '151525', person: '2' },
    });
    await get('/v1/person/151525');
    const text = await (await get('/metrics')).text();
    expect(text).toContain('route="none"');
    expect(text).not.toMatch(/151525|Wu|ward|\/v1\/person/);
  });
});
