/** Figures for Prometheus. No label holds a tag number, a person or an officer. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Figures, TracerApi } from './contract.js';
import type { Desk } from './desk.js';

/** Seconds: from less than a screen's frame to the limit of a question. */
const TRACE_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

const TRACE_HELP =
  'Time to answer a trace, without its wait in line and without sending: to read on, to trace, to record the look, and for evidence to wait for its checkpoint and make it';

export interface ApiMetrics {
  /** In the text format, and its content type. */
  scrape(): Promise<string>;
  readonly contentType: string;
  /** Of a trace that was answered, without the wait for its turn and without sending. */
  traced(direction: string, seconds: number): void;
  refused(code: string): void;
  answered(request: { readonly method: string; readonly route: string; readonly status: number }): void;
  cutOff(): void;
}

export function apiMetrics(api: TracerApi, desk: Desk, nowMs: () => number): ApiMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  tracerGauges(registry, api, nowMs);
  reportCounters(registry, api);
  presenceCounters(registry, api);
  keptGauges(registry, api);
  deskGauges(registry, desk);
  const registers = [registry];
  const traces = new Histogram({
    ...{ name: 'firebreak_trace_seconds', help: TRACE_HELP, registers },
    ...{ labelNames: ['direction'], buckets: TRACE_BUCKETS },
  });
  const refusals = new Counter({
    ...{ name: 'firebreak_api_refusals_total', help: 'Requests refused, by code', registers },
    labelNames: ['code'],
  });
  const requests = new Counter({
    ...{ name: 'firebreak_http_requests_total', help: 'Requests answered', registers },
    labelNames: ['method', 'route', 'status'],
  });
  const cut = new Counter({
    ...{ name: 'firebreak_http_cut_off_total', help: 'Answers whose reader was too slow', registers },
  });
  return {
    scrape: () => registry.metrics(),
    contentType: registry.contentType,
    traced: (direction, seconds) => traces.observe({ direction }, seconds),
    refused: (code) => refusals.inc({ code }),
    answered: ({ method, route, status }) => requests.inc({ method, route, status: String(status) }),
    cutOff: () => cut.inc(),
  };
}

function tracerGauges(registry: Registry, api: TracerApi, nowMs: () => number): void {
  const gauge = (name: string, help: string, read: () => number): void =>
    void new Gauge({ name, help, registers: [registry], collect: sets(read) });
  gauge('firebreak_contacts', 'Contacts held', () => api.figures().contacts);
  gauge('firebreak_people', 'People with a contact', () => api.figures().people);
  gauge('firebreak_entries_followed', 'Ledger entries verified', () => api.figures().entries);
  gauge('firebreak_entries_behind', 'Ledger entries not taken in yet', () => api.standing().behind);
  gauge('firebreak_ledger_seen_seconds', 'Seconds since the ledger answered last', () => {
    const { ledgerSeenMs, followsSinceMs } = api.standing();
    return (nowMs() - (ledgerSeenMs ?? followsSinceMs)) / 1000;
  });
  gauge('firebreak_read_on_seconds', 'Seconds since all that the ledger had was taken in last', () => {
    const { readOnMs, followsSinceMs } = api.standing();
    return (nowMs() - (readOnMs ?? followsSinceMs)) / 1000;
  });
  void new Counter({
    ...{ name: 'firebreak_looks_recorded_total', help: 'Looks the ledger recorded', registers: [registry] },
    collect() {
      this.reset();
      this.inc(api.looksRecorded());
    },
  });
}

/** Of reports of tags since the contacts were begun; those kept in a folder go on from life to life. */
function reportCounters(registry: Registry, api: TracerApi): void {
  const by = countersBy(registry, api);
  by('code', 'firebreak_reports_refused_total', 'Reports that failed a check', (figures) => [
    ...figures.refusedReports,
  ]);
  by(
    'heard_by',
    'firebreak_forged_records_total',
    'Records whose beacons are nobody’s: replayed or forged',
    ({ forgedRecords }) => Object.entries(forgedRecords),
  );
  countersOf(registry, api)(
    'firebreak_clones_total',
    'Reports that contradict another of their tag and number',
    ({ clones }) => clones,
  );
}

function presenceCounters(registry: Registry, api: TracerApi): void {
  countersBy(registry, api)(
    'code',
    'firebreak_presence_reports_refused_total',
    'Presence reports of gateways that failed a check',
    ({ presenceReports }) => [...presenceReports.refused],
  );
  const counter = countersOf(registry, api);
  counter(
    'firebreak_presence_reports_opened_total',
    'Presence reports of gateways that were opened, repeats included',
    ({ presenceReports }) => presenceReports.opened,
  );
  counter(
    'firebreak_presence_records_total',
    'Records in presence reports',
    ({ presenceReports }) => presenceReports.records,
  );
}

const countersOf =
  (registry: Registry, api: TracerApi) =>
  (name: string, help: string, read: (figures: Figures) => number): void =>
    void new Counter({
      ...{ name, help, registers: [registry] },
      collect() {
        this.reset();
        this.inc(read(api.figures()));
      },
    });

const countersBy =
  (registry: Registry, api: TracerApi) =>
  (label: string, name: string, help: string, read: CountsOf): void =>
    void new Counter({
      ...{ name, help, registers: [registry], labelNames: [label] },
      collect() {
        this.reset();
        for (const [value, count] of read(api.figures())) this.inc({ [label]: value }, count);
      },
    });

type CountsOf = (figures: Figures) => readonly (readonly [string, number])[];

/** What somebody should look into when it is not 0. */
function keptGauges(registry: Registry, api: TracerApi): void {
  const gauge = (name: string, help: string, read: (figures: Figures) => number): void =>
    void new Gauge({ name, help, registers: [registry], collect: sets(() => read(api.figures())) });
  gauge(
    'firebreak_retention_held_days',
    'Days by which retention is held back, as the time of the ledger leapt',
    ({ heldBackDays }) => heldBackDays,
  );
  gauge(
    'firebreak_reports_waiting',
    'Reports that wait for the keys of their day',
    ({ waitingReports }) => waitingReports,
  );
  gauge(
    'firebreak_reports_without_room',
    'Reports that found no room to wait for the keys of their day',
    ({ reportsWithoutRoom }) => reportsWithoutRoom,
  );
  gauge(
    'firebreak_reports_missing',
    'Reports and approvals of gateways that the ledger has lost or holds damaged',
    ({ missingReports }) => missingReports,
  );
  gauge(
    'firebreak_report_gaps',
    'Reports that another names as the one before it and that have not come',
    ({ reportGaps }) => reportGaps,
  );
  gauge(
    'firebreak_presence_dropped',
    'Stays that had to go for want of room',
    ({ presenceDropped }) => presenceDropped,
  );
  gauge(
    'firebreak_presence_from_seconds',
    'Unix seconds from which on all stays at gateways are there; 0 where none is gone',
    ({ presenceFrom }) => presenceFrom,
  );
}

function deskGauges(registry: Registry, desk: Desk): void {
  const gauge = (state: 'working' | 'waiting' | 'sending', help: string): void =>
    void new Gauge({
      ...{ name: `firebreak_questions_${state}`, help, registers: [registry] },
      collect: sets(() => desk[state]),
    });
  gauge('working', 'Questions worked on');
  gauge('waiting', 'Questions that wait for their turn');
  gauge('sending', 'Answers being sent');
}

const sets = (read: () => number) =>
  function (this: Gauge): void {
    this.set(read());
  };
