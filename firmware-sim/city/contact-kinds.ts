/** Where people meet, and what a contact there is like: how long in one epoch, and how near. */

export const KINDS = ['home', 'school', 'work', 'circle', 'transit', 'shop', 'street'] as const;
export type Kind = (typeof KINDS)[number];

interface Manner {
  /** Steps of 20 s, before the end of the epoch cuts them. */
  readonly minSteps: number;
  readonly maxSteps: number;
  /** Median attenuation in dB: base, and up to 30 above it, 15 most often. */
  readonly baseDb: number;
}

/** By number of the kind. A pair that met in two places in one epoch is counted at the first of them. */
export const MANNERS: readonly Manner[] = [
  { minSteps: 15, maxSteps: 45, baseDb: 40 },
  { minSteps: 6, maxSteps: 40, baseDb: 42 },
  { minSteps: 6, maxSteps: 45, baseDb: 44 },
  { minSteps: 15, maxSteps: 45, baseDb: 40 },
  { minSteps: 9, maxSteps: 45, baseDb: 44 },
  { minSteps: 1, maxSteps: 12, baseDb: 48 },
  { minSteps: 1, maxSteps: 6, baseDb: 48 },
];
