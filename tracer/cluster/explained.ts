/**
 * How well a source explains the cases (clusters.md, "The model"), whomever else it reached. What the cases explain of each
 * other is the same for nearly all sources, and is reckoned once.
 */
import { chancesFromCases } from './case-traces.js';
import type { ChanceFromCase, TracedCase } from './case-traces.js';
import { chancesAt, logChanceOfCase, NO_CHANCE } from './model.js';
import type { Chance } from './model.js';

/** By β: the chance that no other case infected this one, and ln of the chance that it was infected without any source. */
interface Alone {
  readonly spared: readonly number[];
  readonly logChances: readonly number[];
}

interface CaseAlone extends Alone {
  readonly one: TracedCase;
  readonly fromCases: readonly ChanceFromCase[];
}

export class Explained {
  readonly #cases: readonly CaseAlone[];

  constructor(cases: readonly TracedCase[]) {
    this.#cases = cases.map((one) => {
      const fromCases = chancesFromCases(one, cases);
      return { one, fromCases, ...aloneWith(fromCases) };
    });
  }

  /**
   * For each β, ln of the chance that all cases were infected, if the source infects each with this chance. A source that is
   * itself a case is named, and explains the others.
   */
  by(chanceOf: (one: TracedCase) => Chance | undefined, source?: TracedCase): readonly number[] {
    const sums = NO_CHANCE.map(() => 0);
    for (const explained of this.#cases) {
      if (explained.one === source) continue;
      const alone = source ? without(source, explained) : explained;
      const chance = chanceOf(explained.one);
      const terms = chance ? logChanceOfCase(chancesAt(chance), alone.spared) : alone.logChances;
      terms.forEach((term, k) => (sums[k] = (sums[k] ?? 0) + term));
    }
    return sums;
  }
}

/** A case that is the source explains by its own chance, and not as one of the others once more. */
function without(source: TracedCase, explained: CaseAlone): Alone {
  const others = explained.fromCases.filter(({ tag }) => tag !== source.tag);
  return others.length === explained.fromCases.length ? explained : aloneWith(others);
}

function aloneWith(fromCases: readonly ChanceFromCase[]): Alone {
  const spared = NO_CHANCE.map((_, k) =>
    fromCases.reduce((escaped, { chances }) => escaped * (1 - (chances[k] ?? 0)), 1),
  );
  return { spared, logChances: logChanceOfCase(NO_CHANCE, spared) };
}
