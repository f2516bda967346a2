/** Forward traces by the definitions of docs/tracing.md, straight from the lines of a recording: slow and plain. */
import type { ContactRecording } from '../../firmware-sim/recorded/contact-recording.js';

export interface PairEpoch {
  readonly a: number;
  readonly b: number;
  readonly epoch: number;
  readonly start: number;
  readonly end: number;
  readonly seconds: number;
}

/** What tracing.md says a pair's records of each epoch must hold. Persons by number; in order of time. */
export function pairEpochs(recording: ContactRecording): PairEpoch[] {
  const found = new Map<string, PairEpoch>();
  for (const contact of recording.contacts) {
    const a = recording.persons[contact.a] ?? NaN;
    const b = recording.persons[contact.b] ?? NaN;
    for (let at = contact.startMs / 1000; at < contact.endMs / 1000; at += 20) {
      const epoch = Math.floor(at / 900);
      const key = `${a} ${b} ${epoch}`;
      const known = found.get(key);
      const start = Math.min(known?.start ?? Infinity, at);
      found.set(key, { a, b, epoch, start, end: at + 20, seconds: (known?.seconds ?? 0) + 20 });
    }
  }
  return [...found.values()].sort((x, y) => x.end - y.end || x.a - y.a || x.b - y.b);
}

export interface TraceSettings {
  readonly hops: number;
  readonly latentSeconds: number;
  readonly minSeconds: number;
}

/** person → [hop, exposedAt, earliestAt] */
export function forwardTrace(recording: ContactRecording, person: number, settings: TraceSettings) {
  const open = qualifying(pairEpochs(recording), settings.minSeconds);
  const from = recording.startMs / 1000;
  const reached = new Map<number, [number, number, number]>();
  let labels = new Map([[person, from]]);
  const readyOf = (who: number, at: number): number => (who === person ? from : at + settings.latentSeconds);
  for (let hop = 1; hop <= settings.hops; hop += 1) {
    const next = new Map(labels);
    const steps = open.flatMap(({ a, b, start, end }) => [
      { u: a, v: b, start, end },
      { u: b, v: a, start, end },
    ]);
    for (const { u, v, start, end } of steps) {
      const at = labels.get(u);
      if (at === undefined || v === person || start < readyOf(u, at)) continue;
      if (end < (next.get(v) ?? Infinity)) next.set(v, end);
    }
    for (const [v, at] of next) if (v !== person && !reached.has(v)) reached.set(v, [hop, at, at]);
    labels = next;
  }
  for (const [v, row] of reached) row[2] = labels.get(v) ?? row[1];
  return reached;
}

function qualifying(contacts: readonly PairEpoch[], minSeconds: number): PairEpoch[] {
  const byPair = new Map<string, PairEpoch[]>();
  for (const contact of contacts) {
    const key = `${contact.a} ${contact.b}`;
    byPair.set(key, [...(byPair.get(key) ?? []), contact]);
  }
  return [...byPair.values()].flatMap((ofPair) =>
    ofPair.filter((contact) => {
      const window = ofPair.filter(({ end }) => end > contact.end - 86_400 && end <= contact.end);
      return window.reduce((sum, { seconds }) => sum + seconds, 0) >= minSeconds;
    }),
  );
}
