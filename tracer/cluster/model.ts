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
  /** One for each case but itself. */
  readonly cases: readonly {
    readonly fromSource: Chance | undefined;
    /** From the other cases. */
    readonly fromCases: readonly Chance[];
  }[];
  /** Everybody reached who is no case. */
  readonly others: readonly Chance[];
}

/** As if every step had the same chance, each of them β times as catching: (1 − (1 − score^(1/hop))^β)^hop. */
export function chanceAt({ score, hop, weight = 1 }: Chance, catching: number): number {
  const step = Math.min(1, score) ** (1 / hop);
  return weight * (1 - (1 - step) ** catching) ** hop;
}

/**
 * Natural logarithm of the likelihood, up to what is the same for all sources of one cluster: each case became known, whether it
 * is the source or was infected by it; a source that is no case did not.
 */
export function logLikelihood({ isCase, cases, others }: Hypothesis): number {
  const terms: number[] = [];
  for (const catching of CATCHING) {
    const explained = cases.reduce((sum, one) => sum + logChanceOfCase(one, catching), 0);
    for (const known of KNOWN_SHARE)
      terms.push(
        Math.log(isCase ? 1 : 1 - known) + explained + logChanceUnknown(others, { catching, known }),
      );
  }
  return logSumExp(terms);
}

function logChanceOfCase({ fromSource, fromCases }: Hypothesis['cases'][number], catching: number): number {
  let escaped = fromSource ? 1 - chanceAt(fromSource, catching) : 1;
  for (const chance of fromCases) escaped *= 1 - chanceAt(chance, catching);
  return Math.log(UNRECORDED + (1 - UNRECORDED) * (1 - escaped));
}

/** That of all the others none became known as a case. */
function logChanceUnknown(
  others: readonly Chance[],
  { catching, known }: { readonly catching: number; readonly known: number },
): number {
  return others.reduce((sum, chance) => sum + Math.log1p(-known * chanceAt(chance, catching)), 0);
}

/** ln Σ exp(x), for terms that may be far below what a number can hold. */
export function logSumExp(terms: readonly number[]): number {
  const most = terms.reduce((x, y) => Math.max(x, y), -Infinity);
  if (most === -Infinity) return most;
  return most + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - most), 0));
}
