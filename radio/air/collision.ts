/**
 * Which adverts a receiver loses to others. An advertising event sends the same packet on channels 37, 38 and 39 with
 * the same spacing, and a scanner listens to one of them: so two events meet, on whichever channel, exactly when their starts
 * are less than one packet apart. The stronger packet survives when it leads by the capture threshold.
 */

/** ADV_NONCONN_IND with 31 bytes at 1 Mbit/s: (1 preamble + 4 access address + 2 header + 6 address + 31 + 3 CRC) × 8 µs. */
export const ADVERT_AIRTIME_MS = 0.376;

/** Lead in dB at which a receiver still decodes the stronger of two packets (pairwise; FM capture at 1 Mbit/s). */
export const CAPTURE_DB = 6;

export function overlap(oneMs: number, otherMs: number): boolean {
  return Math.abs(oneMs - otherMs) < ADVERT_AIRTIME_MS;
}

/** Whether a packet of `levelDbm` survives one interferer at the same receiver. */
export function captures(levelDbm: number, interfererDbm: number): boolean {
  return levelDbm - interfererDbm >= CAPTURE_DB;
}
