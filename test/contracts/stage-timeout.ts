/** How long a stage waits for an answer to a GATT request, wall ms. */
export const STAGE_TIMEOUT_MS = 300;
