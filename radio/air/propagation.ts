/**
 * How strong an advert arrives: log-distance path loss with log-normal shadowing, and small-scale fading.
 *
 *     loss(d) = referenceLoss + bodyLoss + 10 · exponent · log10(d / 1 m) + shadowing        [dB]
 *
 * Log-distance model: Rappaport, Wireless Communications, §4.9. Reference loss, exponent and shadowing deviation:
 * 3GPP TR 38.901, table 7.4.1-1, InH office with line of sight, 32.4 + 17.3 log10 d + 20 log10 f, σ = 3 dB, at
 * f = 2.44 GHz; its first and last term agree with free space at 1 m (Friis). bodyLoss stands for wearer and small
 * antenna at both ends together and is our assumption: a deployment calibrates it for its tag. Shadowing is a property of
 * a pair of places, hence the same both ways; it keeps part of its variance for good and drifts with the rest, as
 * people move (Gudmundson's correlated shadowing, with time for distance). Everything is a pure function of a seed.
 */
import { mix32, normalFrom } from '../random.js';

export interface PropagationSettings {
  readonly referenceLossDb: number;
  readonly exponent: number;
  readonly bodyLossDb: number;
  /** Standard deviation of the shadowing of a link. */
  readonly shadowingDb: number;
  /** Part of the shadowing's variance that a link keeps, 0..1; the rest drifts. */
  readonly shadowingLasting: number;
  /** Deployment ms after which the drifting part is a new draw. */
  readonly shadowingPeriodMs: number;
  /** Standard deviation from one advert to the next: multipath on three channels. */
  readonly fadingDb: number;
  /** Weakest signal a receiver decodes: about that of current 1 Mbit/s Bluetooth LE receivers. */
  readonly sensitivityDbm: number;
}

export const INDOOR: PropagationSettings = {
  referenceLossDb: 40.15,
  exponent: 1.73,
  bodyLossDb: 12,
  shadowingDb: 3,
  shadowingLasting: 0.5,
  shadowingPeriodMs: 30_000,
  fadingDb: 2,
  sensitivityDbm: -95,
};

/** Metres. */
export interface Position {
  readonly x: number;
  readonly y: number;
  readonly z?: number;
}

/** Antennas nearer than this are taken to be this far apart: the model is of the far field. */
const NEAREST_METRES = 0.1;

export function distanceMetres(one: Position, other: Position): number {
  const [x, y, z] = [one.x - other.x, one.y - other.y, (one.z ?? 0) - (other.z ?? 0)];
  return Math.sqrt(x * x + y * y + z * z);
}

/** Mean path loss at a distance, without shadowing and fading, dB. */
export function meanPathLossDb(metres: number, settings: PropagationSettings): number {
  const { referenceLossDb, bodyLossDb, exponent } = settings;
  return referenceLossDb + bodyLossDb + 10 * exponent * Math.log10(Math.max(metres, NEAREST_METRES));
}

/** A link between two nodes, each known by a 32-bit word; the order of the two does not matter. */
export interface LinkKey {
  readonly low: number;
  readonly high: number;
}

export function linkKey(one: number, other: number): LinkKey {
  return one < other ? { low: one, high: other } : { low: other, high: one };
}

/** Arbitrary words that keep the three kinds of draw apart. */
const LASTING = 0x6c617374;
const DRIFTING = 0x64726966;
const FADING = 0x66616465;

/**
 * Shadowing of a link at a time, dB; positive is weaker. The drifting part joins one draw per period to the next on
 * the unit circle (cos, sin), which keeps its variance the same at every instant.
 */
export function shadowingDb(
  seed: number,
  link: LinkKey,
  atMs: number,
  settings: PropagationSettings,
): number {
  const { shadowingDb: deviation, shadowingLasting, shadowingPeriodMs } = settings;
  const period = Math.floor(atMs / shadowingPeriodMs);
  const angle = ((atMs / shadowingPeriodMs - period) * Math.PI) / 2;
  const drifting =
    Math.cos(angle) * linkNormal(seed ^ DRIFTING, link, period) +
    Math.sin(angle) * linkNormal(seed ^ DRIFTING, link, period + 1);
  const lasting = linkNormal(seed ^ LASTING, link, 0);
  return deviation * (Math.sqrt(shadowingLasting) * lasting + Math.sqrt(1 - shadowingLasting) * drifting);
}

/** Fading of one advert on a link, dB; positive is weaker. `advert` numbers the advert. */
export function fadingDb(seed: number, link: LinkKey, advert: number, settings: PropagationSettings): number {
  return settings.fadingDb * linkNormal(seed ^ FADING, link, advert);
}

/** A standard normal that belongs to (seed, link, index) and to nothing else. */
function linkNormal(seed: number, link: LinkKey, index: number): number {
  const word = mix32(mix32(mix32(mix32(seed) + index) + link.low) ^ link.high);
  return normalFrom(word, mix32(word + 0x9e3779b9));
}
