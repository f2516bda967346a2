/** What is to be done when a day turns and at the start, by whoever comes round twice a second. */

/** Runs `work` with the day when it is another than at the last run that succeeded. Rejects as `work` does. */
export function atTurnOfDay(work: (today: number) => Promise<void>): (today: number) => Promise<void> {
  let done: number | undefined;
  return async (today) => {
    if (today === done) return;
    await work(today);
    done = today;
  };
}
