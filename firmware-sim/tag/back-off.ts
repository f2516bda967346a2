/** How long to wait before the next try: doubling after each failure, drawn from the upper half of the span. */
export interface BackOffSettings {
  readonly firstMs: number;
  readonly longestMs: number;
}

/** `failures` in a row so far, at least 1; `fraction` is random, 0 to 1. */
export function backOffMs(settings: BackOffSettings, failures: number, fraction: number): number {
  const spanMs = Math.min(settings.longestMs, settings.firstMs * 2 ** Math.min(failures - 1, 30));
  return spanMs * (0.5 + fraction / 2);
}
