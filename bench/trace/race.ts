/**
 * The same questions to Firebreak and to a peer, in turns, so that whatever else the machine does meets both. In its turn each
 * is asked all of them: nobody finds in the caches what was asked just before.
 */
import { quantile, spread, tell } from './figures.js';
import type { Ours } from './ours.js';
import { requireSame } from './question.js';
import type { Answerer, Question } from './question.js';

/** Rounds over all cases before any is timed: programs that compile as they run are to have done so. */
const WARM_UP = 30;
const ROUNDS = 9;
const EVERYBODY = 2_000_000;
const LIST = 10_000;
const GOAL = 15;

interface Timed {
  readonly name: string;
  readonly explains: boolean;
  /** Milliseconds by case. */
  readonly samples: number[][];
}

/** All answers are compared, then timed. Throws when two differ. */
export async function race(
  ours: Ours,
  peer: string,
  answerers: readonly Answerer[],
  questions: readonly Question[],
  contacts: number,
): Promise<void> {
  const reached = await compare(ours, answerers, questions);
  const entered = (name: string, explains = true): Timed => ({
    name,
    explains,
    samples: questions.map(() => []),
  });
  const [traces, walks] = [entered('firebreak'), entered('firebreak, walk alone')];
  const others = answerers.map(({ name, explains }) => entered(name, explains === true));
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    const took = (timed: Timed | undefined, k: number, ms: number) =>
      round >= 0 && timed?.samples[k]?.push(ms);
    const mine = await ours.tell({ kind: 'askAll', questions, list: LIST });
    for (const [k, { traceMs, walkMs }] of mine.entries()) {
      took(traces, k, traceMs);
      took(walks, k, walkMs);
    }
    for (const [i, { ask }] of answerers.entries())
      for (const [k, question] of questions.entries()) {
        const startMs = performance.now();
        await ask(question);
        took(others[i], k, performance.now() - startMs);
      }
  }
  const { p50Ms } = spread(traces.samples);
  for (const { name, samples } of [traces, walks, ...others]) {
    const figures = spread(samples);
    tell({
      system: name,
      contacts,
      ...figures,
      reached: quantile(reached, 0.5),
      ratio: ratioOf(figures.p50Ms, p50Ms),
    });
  }
  tell({
    system: peer,
    contacts,
    goalRatio: GOAL,
    sameWork: bestOf(others.filter(({ explains }) => explains)),
    peopleAndTimesAlone: bestOf(others.filter(({ explains }) => !explains)),
  });

  function bestOf(entrants: readonly Timed[]) {
    const best = entrants.map(({ name, samples }) => ({ name, p50Ms: spread(samples).p50Ms }));
    best.sort((x, y) => x.p50Ms - y.p50Ms);
    const [fastest] = best;
    return fastest && { best: fastest.name, ratio: ratioOf(fastest.p50Ms, p50Ms) };
  }
}

/** The same questions to Firebreak and nobody else. */
export async function runAlone(ours: Ours, questions: readonly Question[], contacts: number): Promise<void> {
  const samples: number[][] = questions.map(() => []);
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    const times = await ours.tell({ kind: 'askAll', questions, list: LIST });
    if (round >= 0) for (const [k, { traceMs }] of times.entries()) samples[k]?.push(traceMs);
  }
  tell({ system: 'firebreak', contacts, ...spread(samples) });
}

const ratioOf = (theirs: number, mine: number): number => Math.round((10 * theirs) / mine) / 10;

/** Also warms all of them up. Gives how many were reached, by case. */
async function compare(ours: Ours, answerers: readonly Answerer[], questions: readonly Question[]) {
  const reached: number[] = [];
  for (const question of questions) {
    const { rows } = await ours.tell({ kind: 'ask', question, list: EVERYBODY });
    for (const { name, ask } of answerers) requireSame(question, name, await ask(question), rows);
    reached.push(rows.length);
  }
  return reached;
}
