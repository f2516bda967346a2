/**
 * How likely it is that just these became cases, if this was the source (clusters.md, "The model"). What is not known – how
 * catching it is, how many of the infected are known – is not asked for: each of a few values is tried and the chances are
 * averaged. Pure arithmetic.
 */

/** β: how many times as catching as tracing.md's score takes it to be. */
const CATCHING = [3, 5, 8] as const;
/** ρ: which share of the infected become known as cases. */
const KNOWN_SHARE = [0.1, 0.3] as const;
/** ε: a case infected in a way that nobody recorded. */
export const UNRECORDED = 0.01;

/** A chance out of a trace: its score, and over how many steps; and how much it weighs beside others, 1 by default. */
export interface Chance {
  readonly score: number;
  readonly hop: number;
  readonly weight?: number;
}

export interface Hypothesis {
  readonly isCase: boolean;
  /** By β: ln of the chance that all cases but the source itself were infected. */
  readonly explained: readonly number[];
  /** By β and ρ: {@link Unknown}; the same for all sources when absent. */
  readonly unknown?: readonly number[];
}

/** By β, of whoever was not met. */
export const NO_CHANCE: readonly number[] = CATCHING.map(() => 0);

/** By β: as if every step had the same chance, each of them β times as catching: (1 − (1 − score^(1/hop))^β)^hop. */
export function chancesAt({ score, hop, weight = 1 }: Chance): readonly number[] {
  const step = Math.min(1, score) ** (1 / hop);
  return CATCHING.map((catching) => weight * (1 - (1 - step) ** catching) ** hop);
}

/**
 * By β: ln of the chance that a case was infected, with the chances that the source did it and that no other case did.
 */
export const logChanceOfCase = (bySource: readonly number[], spared: readonly number[]): readonly number[] =>
  bySource.map((chance, k) =>
    Math.log(UNRECORDED + (1 - UNRECORDED) * (1 - (1 - chance) * (spared[k] ?? 1))),
  );

/** Others who were reached, none of whom became known as a case. */
export class Unknown {
  /** By β and ρ: ln of the chance of that. */
  readonly logChances: number[] = CATCHING.flatMap(() => KNOWN_SHARE.map(() => 0));
  count = 0;
  /** How many of them would be infected, as tracing.md scores them. */
  expected = 0;

  add(chance: Chance): void {
    this.count += 1;
    this.expected += chance.score;
    const { logChances } = this;
    chancesAt(chance).forEach((infected, k) =>
      KNOWN_SHARE.forEach((known, j) => {
        const at = k * KNOWN_SHARE.length + j;
        logChances[at] = (logChances[at] ?? 0) + Math.log1p(-known * infected);
      }),
    );
  }
}

/**
 * Natural logarithm of the likelihood, up to what is the same for all sources of one cluster: each case became known, whether it
 * is the source or was infected by it; a source that is no case did not.
 */
export function logLikelihood({ isCase, explained, unknown = [] }: Hypothesis): number {
  const terms = CATCHING.flatMap((_, k) =>
    KNOWN_SHARE.map((known, j) => {
      const prior = Math.log(isCase ? 1 : 1 - known);
      return prior + (explained[k] ?? 0) + (unknown[k * KNOWN_SHARE.length + j] ?? 0);
    }),
  );
  return logSumExp(terms);
}

const TOLD_APART = 1e-9;
const rounded = (logLikelihood: number): number => Math.round(logLikelihood / TOLD_APART);

/** For sorting, the likelier first; 0 for those between which there is only what rounding makes of another order of terms. */
export const likelierFirst = (x: number, y: number): number => rounded(y) - rounded(x);

/** ln Σ exp(x), for terms that may be far below what a number can hold. */
export function logSumExp(terms: readonly number[]): number {
  const most = terms.reduce((x, y) => Math.max(x, y), -Infinity);
  if (most === -Infinity) return most;
  return most + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - most), 0));
}
