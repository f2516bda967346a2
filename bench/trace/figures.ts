/** Figures of the trace bench, as lines of JSON. */

export const tell = (figures: object): void => console.log(JSON.stringify({ bench: 'trace', ...figures }));

export const round = (value: number): number => Math.round(value * 1000) / 1000;

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN);
}

export const megabytes = (bytes: number): number => Math.round(bytes / 1e6);
export const seconds = (sinceMs: number): number => round((performance.now() - sinceMs) / 1000);

/** p50: the median over cases of the median of each case; p99: of all samples. */
export function spread(samples: readonly (readonly number[])[]): {
  readonly p50Ms: number;
  readonly p99Ms: number;
} {
  return {
    p50Ms: quantile(
      samples.map((ofCase) => quantile(ofCase, 0.5)),
      0.5,
    ),
    p99Ms: quantile(samples.flat(), 0.99),
  };
}
